//! What people are told: alerts of a group together, no group more than once in five minutes, and never a flood.

use super::Alerts;
use model::alert::{Alert, AlertKey, AlertState, GroupBy, Notification, Severity, Told};
use std::collections::BTreeMap;

/// How long a group waits for more of its alerts before people are told, milliseconds.
pub(super) const WAIT_MS: i64 = 10_000;
/// How long a group is silent after people were told, milliseconds.
pub(super) const SILENT_MS: i64 = 300_000;
/// After how long people are told again of what nobody has taken on, milliseconds.
pub(super) const AGAIN_MS: i64 = 4 * 3_600_000;
/// Notifications at one time. Where there would be more, groups are put together.
pub(super) const AT_ONCE: usize = 20;

type Group = Vec<(String, String)>;

impl Alerts {
    /// What is to be told now. It counts as told: whoever takes it hands it on.
    pub fn notifications(&mut self, now_ms: i64) -> Vec<Notification> {
        self.now_ms = self.now_ms.max(now_ms);
        let now = self.now_ms;
        self.groups.retain(|_, at| now.saturating_sub(*at) < SILENT_MS);
        let mut due: BTreeMap<Group, i64> = BTreeMap::new();
        for (alert, since) in self.held.values().filter_map(|alert| Some((alert, news(alert, now)?))) {
            let oldest = due.entry(self.group(alert, 0)).or_insert(since);
            *oldest = (*oldest).min(since);
        }
        due.retain(|group, oldest| now.saturating_sub(*oldest) >= WAIT_MS && !self.groups.contains_key(&name(group)));
        // With the news goes all that still fires: one alert that is over must not make its group look so.
        let fires = |alert: &Alert| matches!(alert.state, AlertState::Firing | AlertState::Acked);
        let alerts: Vec<&Alert> = self
            .held
            .values()
            .filter(|alert| fires(alert) || news(alert, now).is_some())
            .filter(|alert| due.contains_key(&self.group(alert, 0)))
            .collect();
        let mut groups = self.gathered(&alerts);
        // A wider group may have been told already: what is new in it waits.
        groups.retain(|group, _| !self.groups.contains_key(&name(group)));
        let mut told: Vec<String> = groups.keys().map(name).collect();
        told.extend(groups.values().flatten().map(|alert| name(&self.group(alert, 0))));
        let keys: Vec<AlertKey> = groups.values().flatten().map(|alert| alert.key.clone()).collect();
        let sent = groups.into_iter().map(|(group, alerts)| sent(group, &alerts, now)).collect();
        for key in keys {
            if let Some(alert) = self.held.get_mut(&key) {
                alert.told = Some(Told { firing: alert.state != AlertState::Resolved, at_ms: now });
            }
        }
        self.groups.extend(told.into_iter().map(|group| (group, now)));
        sent
    }

    /// Alerts by group; by ever wider groups, until there are few enough.
    fn gathered<'a>(&self, alerts: &[&'a Alert]) -> BTreeMap<Group, Vec<&'a Alert>> {
        let mut groups = BTreeMap::new();
        for wider in 0..=4 {
            groups = BTreeMap::<Group, Vec<&Alert>>::new();
            for alert in alerts {
                groups.entry(self.group(alert, wider)).or_default().push(alert);
            }
            if groups.len() <= AT_ONCE {
                break;
            }
        }
        groups
    }

    /// An alert's group, made wider by so many steps: node, rack, hall, rule, how grave it is.
    fn group(&self, alert: &Alert, wider: u8) -> Group {
        let rule = self.rules.iter().find(|rule| rule.name == alert.key.rule);
        let by = match rule.map_or(GroupBy::Rule, |rule| rule.group) {
            GroupBy::Node => 3_u8,
            GroupBy::Rack => 2,
            GroupBy::Hall => 1,
            GroupBy::Rule => 0,
        };
        // Five steps: nothing finer than node, rack, hall, rule; then how grave it is alone.
        if wider >= 4 {
            return vec![("severity".into(), alert.severity.name().into())];
        }
        let parts = alert.key.place.parts().into_iter().take(usize::from(by.min(3 - wider.min(3))));
        let parts = parts.filter_map(|(part, value)| Some((part.to_owned(), value?.to_owned())));
        [("alertname".to_owned(), alert.key.rule.clone())].into_iter().chain(parts).collect()
    }
}

/// Since when there is something to tell of an alert.
fn news(alert: &Alert, now: i64) -> Option<i64> {
    let told = alert.told.filter(|told| told.firing).map(|told| told.at_ms);
    match (alert.state, told) {
        (AlertState::Firing, Some(at_ms)) => {
            let again = at_ms.saturating_add(AGAIN_MS);
            (now >= again).then_some(again)
        }
        (AlertState::Firing, None) | (AlertState::Resolved, Some(_)) => Some(alert.since_ms),
        (AlertState::Pending | AlertState::Acked | AlertState::Silenced | AlertState::Inhibited, _)
        | (AlertState::Resolved, None) => None,
    }
}

fn sent(group: Group, alerts: &[&Alert], at_ms: i64) -> Notification {
    let severity = alerts.iter().map(|alert| alert.severity).max().unwrap_or(Severity::Warning);
    Notification { at_ms, group, severity, alerts: alerts.iter().map(|alert| (*alert).clone()).collect() }
}

fn name(group: &Group) -> String {
    let parts: Vec<String> = group.iter().map(|(part, value)| format!("{part}={value:?}")).collect();
    format!("{{{}}}", parts.join(","))
}

/// A group as one text, unique: `{alertname="gpu-hot",rack="r1"}`.
pub fn group_name(notification: &Notification) -> String {
    name(&notification.group)
}
