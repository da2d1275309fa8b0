//! Rules as TOML: those that are there from the start, and a user's.

use model::alert::{Condition, EventKind, GroupBy, Kpi, Rule, Severity, Side, Watch};
use model::event::XidAction;
use model::metric::{Kind, Metric, Unit};
use serde::Deserialize;
use std::fmt;
use toml::Spanned;

/// How long an event or a burst holds where its rule does not say it, milliseconds.
const HOLD_MS: i64 = 3_600_000;
/// The longest words of a rule, bytes.
const WORDS_MAX: usize = 2_000;
/// Rules that one file may hold.
const RULES_MAX: usize = 500;
/// The longest time a rule may name, milliseconds: thirty days.
const LONGEST_MS: i64 = 30 * 24 * 3_600_000;

/// The rules that are there from the start.
pub fn default_rules() -> Vec<Rule> {
    parse_rules("alerts.toml", include_str!("../../rows/alerts.toml")).expect("a test reads the rules that we ship")
}

/// A user's rules beside those that are there: one of the same name takes the other's place.
pub fn with(mut rules: Vec<Rule>, users: Vec<Rule>) -> Vec<Rule> {
    rules.retain(|rule| users.iter().all(|own| own.name != rule.name));
    rules.extend(users);
    rules
}

/// What is wrong with a rule, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// What is wrong, with the field's name.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Rules from TOML; all that is wrong with them otherwise.
pub fn parse_rules(file: &str, text: &str) -> Result<Vec<Rule>, Vec<Problem>> {
    let problem = |(at, what): (usize, String)| Problem { file: file.to_owned(), line: line_of(text, at), what };
    let Written { rule: written } = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let why = error.message().trim().replace('\n', ", ");
        // What stands before the equals sign of that line is the field.
        let start = text.get(..at).unwrap_or_default().rfind('\n').map_or(0, |end| end + 1);
        let field = text.get(start..).unwrap_or_default().lines().next().and_then(|line| line.split_once('='));
        vec![problem((at, field.map_or_else(|| why.clone(), |(field, _)| format!("field {}: {why}", field.trim()))))]
    })?;
    if written.len() > RULES_MAX {
        return Err(vec![problem((0, format!("there are more than {RULES_MAX} rules")))]);
    }
    let (mut rules, mut problems) = (Vec::<Rule>::new(), Vec::new());
    for rule in written {
        let (at, name) = (rule.span().start, rule.get_ref().name.clone());
        let mut found = Found { at, problems: Vec::new() };
        if rules.iter().any(|other| other.name == *name.get_ref()) {
            found.say(Some(&name), "name", "it comes twice");
        }
        rules.extend(rule.into_inner().rule(&mut found));
        problems.extend(
            found.problems.into_iter().map(|(at, what)| problem((at, format!("rule {:?}: {what}", name.get_ref())))),
        );
    }
    problems.sort_by_key(|problem| problem.line);
    if problems.is_empty() { Ok(rules) } else { Err(problems) }
}

fn line_of(text: &str, at: usize) -> u32 {
    let before = text.get(..at).unwrap_or_default();
    u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX).saturating_add(1)
}

/// What is wrong with one rule.
struct Found {
    /// Where the rule begins.
    at: usize,
    problems: Vec<(usize, String)>,
}

impl Found {
    /// Says what is wrong with a field; where it is not written, at the rule's beginning.
    fn say<T>(&mut self, field: Option<&Spanned<T>>, name: &str, why: impl fmt::Display) {
        self.problems.push((field.map_or(self.at, |field| field.span().start), format!("field {name}: {why}")));
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    rule: Vec<Spanned<WrittenRule>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    name: Spanned<String>,
    severity: Severity,
    metric: Option<Spanned<Metric>>,
    of: Option<Spanned<Metric>>,
    bits: Option<Spanned<u64>>,
    kpi: Option<Spanned<Kpi>>,
    source: Option<Spanned<Down>>,
    node: Option<Spanned<Down>>,
    event: Option<Spanned<EventKind>>,
    burst: Option<Spanned<XidAction>>,
    above: Option<Spanned<f64>>,
    below: Option<Spanned<f64>>,
    clear: Option<Spanned<f64>>,
    #[serde(rename = "for")]
    lasts: Option<Spanned<String>>,
    hold: Option<Spanned<String>>,
    group: Option<GroupBy>,
    #[serde(default)]
    inhibits: bool,
    #[serde(default)]
    means: String,
    #[serde(default)]
    otherwise: String,
    #[serde(default)]
    todo: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Down {
    Down,
}

impl WrittenRule {
    fn rule(self, found: &mut Found) -> Option<Rule> {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        let name = self.name.get_ref();
        if name.is_empty() || name.len() > 64 || !name.chars().all(good) {
            found.say(Some(&self.name), "name", "1 to 64 lower-case letters, digits, dots, dashes and underscores");
        }
        if [&self.means, &self.otherwise, &self.todo].iter().any(|words| words.len() > WORDS_MAX) {
            found.say(None::<&Spanned<()>>, "means, otherwise or todo", format_args!("{WORDS_MAX} letters at most"));
        }
        let for_ms = self.lasts.as_ref().map_or(Some(0), |text| span(text, "for", found));
        let watch = self.watch(found);
        Some(Rule {
            watch: watch?,
            for_ms: for_ms?,
            name: self.name.into_inner(),
            severity: self.severity,
            group: self.group.unwrap_or(GroupBy::Rack),
            inhibits: self.inhibits,
            means: self.means,
            otherwise: self.otherwise,
            todo: self.todo,
        })
    }

    fn watch(&self, found: &mut Found) -> Option<Watch> {
        let hold = self.hold.as_ref().map_or(Some(HOLD_MS), |text| span(text, "hold", found));
        let watched = [
            self.metric.is_some(),
            self.kpi.is_some(),
            self.source.is_some(),
            self.node.is_some(),
            self.event.is_some(),
            self.burst.is_some(),
        ];
        if watched.iter().filter(|is| **is).count() != 1 {
            let why = "exactly one of metric, kpi, source, node, event and burst is watched";
            found.problems.push((self.at(found), why.into()));
            return None;
        }
        if self.metric.is_none()
            && let Some(of) = &self.of
        {
            found.say(Some(of), "of", "only a metric is divided by another");
        }
        if self.metric.is_none() && self.kpi.is_none() {
            for (name, field) in [("above", &self.above), ("below", &self.below), ("clear", &self.clear)] {
                if field.is_some() {
                    found.say(field.as_ref(), name, "only a metric or a figure of the fleet has thresholds");
                }
            }
        }
        if self.event.is_none() && self.burst.is_none() && self.bits.is_none() && self.hold.is_some() {
            found.say(self.hold.as_ref(), "hold", "only an event, a burst or bits are held");
        }
        if let Some(bits) = &self.bits {
            return self.bits(bits, self.hold.as_ref().map_or(Some(0), |_| hold), found);
        }
        if let Some(metric) = &self.metric {
            for (name, field) in [("metric", Some(metric)), ("of", self.of.as_ref())] {
                if field.is_some_and(|field| field.get_ref().kind() == Kind::Counter) {
                    found.say(field, name, "it only grows, so its latest value says nothing");
                }
            }
            let of = self.of.as_ref().map(|of| *of.get_ref());
            return Some(Watch::Metric { metric: *metric.get_ref(), of, when: self.condition(found)? });
        }
        if let Some(kpi) = &self.kpi {
            return Some(Watch::Kpi { kpi: *kpi.get_ref(), when: self.condition(found)? });
        }
        if let Some(event) = &self.event {
            return Some(Watch::Event { event: *event.get_ref(), hold_ms: hold? });
        }
        if let Some(burst) = &self.burst {
            return Some(Watch::Burst { at_least: *burst.get_ref(), hold_ms: hold? });
        }
        Some(if self.node.is_some() { Watch::NodeDown } else { Watch::SourceDown })
    }

    fn bits(&self, bits: &Spanned<u64>, hold_ms: Option<i64>, found: &mut Found) -> Option<Watch> {
        if self.of.is_some() || self.above.is_some() || self.below.is_some() || self.clear.is_some() {
            found.say(Some(bits), "bits", "they stand alone: without of, above, below and clear");
        }
        let metric = self.metric.as_ref().map(|metric| *metric.get_ref());
        let Some(metric) = metric.filter(|metric| metric.unit() == Unit::Code) else {
            found.say(Some(bits), "bits", "only a metric that is a code has bits");
            return None;
        };
        if *bits.get_ref() == 0 {
            found.say(Some(bits), "bits", "one of them at least must be watched");
        }
        Some(Watch::Bits { metric, bits: *bits.get_ref(), hold_ms: hold_ms? })
    }

    /// Where a rule is told to be wrong as a whole: at its name.
    fn at(&self, found: &Found) -> usize {
        self.name.span().start.max(found.at)
    }

    fn condition(&self, found: &mut Found) -> Option<Condition> {
        let (side, field, name) = match (&self.above, &self.below) {
            (Some(above), None) => (Side::Above, above, "above"),
            (None, Some(below)) => (Side::Below, below, "below"),
            (Some(_), Some(below)) => {
                found.say(Some(below), "below", "a rule has above or below, not both");
                return None;
            }
            (None, None) => {
                found.problems.push((self.at(found), "field above or below: one of them is needed".into()));
                return None;
            }
        };
        let fire = *field.get_ref();
        let clear = self.clear.as_ref().map_or(fire, |clear| *clear.get_ref());
        if !fire.is_finite() {
            found.say(Some(field), name, "it must be a number");
            return None;
        }
        let back = match side {
            Side::Above => clear <= fire,
            Side::Below => clear >= fire,
        };
        if !back || !clear.is_finite() {
            found.say(
                self.clear.as_ref(),
                "clear",
                format_args!("it must lie on the right side of {name}, which is {fire}"),
            );
        }
        Some(Condition { side, fire, clear })
    }
}

/// `90s`, `2m`, `1h`, `7d`, as milliseconds.
fn span(text: &Spanned<String>, name: &str, found: &mut Found) -> Option<i64> {
    let written = text.get_ref();
    let parsed = || {
        let unit = written.chars().next_back()?;
        let ms = match unit {
            's' => 1_000,
            'm' => 60_000,
            'h' => 3_600_000,
            'd' => 86_400_000,
            _ => return None,
        };
        let number: i64 = written.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(ms).filter(|ms| (0..=LONGEST_MS).contains(ms))
    };
    let ms = parsed();
    if ms.is_none() {
        found.say(Some(text), name, format_args!("{written:?} is no time: write 90s, 2m, 1h or 7d, 30 days at most"));
    }
    ms
}
