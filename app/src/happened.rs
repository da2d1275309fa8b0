//! What happens in a fleet, in words: kinds and what they look like, what an error calls for, and events gathered by time.
//! Plain functions, so that components only pick and show.

use crate::format;
use chart::Lane;
use model::event::{Burst, EventsView, FleetEvent, Happening, XidAction, XidMeaning};
use model::note::Severity;

/// A kind of event before a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// As it is called on the wire, and so in addresses.
    pub name: &'static str,
    /// What one is.
    pub words: &'static str,
    /// What several are.
    pub many: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Its shape, on a sheet of 16 by 16.
    pub shape: &'static str,
}

/// Every kind, what matters most first.
pub const KINDS: [Kind; 10] = [
    Kind {
        name: "xid",
        words: "GPU error",
        many: "GPU errors (XID)",
        severity: Severity::Error,
        shape: "M5 1.5h6L14.5 5v6L11 14.5H5L1.5 11V5ZM5.5 5.5l5 5M10.5 5.5l-5 5",
    },
    Kind {
        name: "sxid",
        words: "Switch error",
        many: "Switch errors (SXID)",
        severity: Severity::Error,
        shape: "M8 1.5 14.5 8 8 14.5 1.5 8ZM8 5v6M5 8h6",
    },
    Kind {
        name: "gpu-lost",
        words: "GPU lost",
        many: "GPUs lost",
        severity: Severity::Error,
        shape: "M2 2h12v12H2ZM2 2l12 12",
    },
    Kind {
        name: "leak",
        words: "Leak",
        many: "Leaks",
        severity: Severity::Error,
        shape: "M8 1.5S3 7 3 10a5 5 0 0 0 10 0C13 7 8 1.5 8 1.5Z",
    },
    Kind {
        name: "host-restarted",
        words: "Restart",
        many: "Hosts restarted",
        severity: Severity::Warning,
        shape: "M13 8a5 5 0 1 1-1.6-3.7M13 1.8v3.4H9.6",
    },
    Kind {
        name: "source",
        words: "Source",
        many: "Sources",
        severity: Severity::Warning,
        shape: "M8 13.5v-3M2.8 7a7.4 7.4 0 0 1 10.4 0M5 9.2a4.2 4.2 0 0 1 6 0",
    },
    Kind {
        name: "gpu-back",
        words: "GPU back",
        many: "GPUs back",
        severity: Severity::Note,
        shape: "M2 2h12v12H2ZM4.5 8.5 7 11l4.5-6",
    },
    Kind {
        name: "host-state",
        words: "Host state",
        many: "Host states",
        severity: Severity::Note,
        shape: "M2.5 5.5h11M10.5 2.5l3 3-3 3M13.5 10.8h-11M5.5 7.8l-3 3 3 3",
    },
    Kind {
        name: "load-target",
        words: "Load target",
        many: "Load targets",
        severity: Severity::Note,
        shape: "M9 1.5 3.5 9H8l-1 5.5L12.5 7H8Z",
    },
    Kind {
        name: "remark",
        words: "Remark",
        many: "Remarks",
        severity: Severity::Note,
        shape: "M3.5 14.5V2h9.5l-2.5 3.5L13 9H3.5",
    },
];

/// Whether bursts are made of a kind; of no kind, which is all of them, they are.
pub fn has_bursts(kind: &str) -> bool {
    matches!(kind, "" | "xid" | "sxid")
}

/// Which kind it is, as a place in [`KINDS`].
fn place(what: &Happening) -> usize {
    let name = match what {
        Happening::Xid { .. } => "xid",
        Happening::Sxid { .. } => "sxid",
        Happening::GpuLost => "gpu-lost",
        Happening::GpuBack => "gpu-back",
        Happening::HostRestarted => "host-restarted",
        Happening::HostState { .. } => "host-state",
        Happening::Leak { .. } => "leak",
        Happening::LoadTarget { .. } => "load-target",
        Happening::Source { .. } => "source",
        Happening::Remark { .. } => "remark",
    };
    KINDS.iter().position(|kind| kind.name == name).unwrap_or_default()
}

/// Which kind it is.
pub fn kind(what: &Happening) -> Kind {
    KINDS[place(what)]
}

/// What happened, in a sentence; `known` are errors whose meaning is known.
pub fn sentence(what: &Happening, known: &[XidMeaning]) -> String {
    match what {
        Happening::Xid { code, detail } => {
            let meaning = known.iter().find(|meaning| meaning.code == *code).map(|meaning| meaning.words.as_str());
            let said: Vec<&str> =
                meaning.into_iter().chain(detail.as_deref()).filter(|text| !text.is_empty()).collect();
            if said.is_empty() { format!("XID {code}") } else { format!("XID {code}: {}", said.join("; ")) }
        }
        Happening::Sxid { code, fatal: true } => format!("SXID {code}: the fabric between the GPUs went down with it"),
        Happening::Sxid { code, fatal: false } => format!("SXID {code}: the fabric stayed up"),
        Happening::GpuLost => "The GPU does not answer any more".into(),
        Happening::GpuBack => "The GPU answers again".into(),
        Happening::HostRestarted => "The host restarted".into(),
        Happening::HostState { state } => format!("The host is now “{state}”, says the lifecycle manager"),
        Happening::Leak { object } => format!("{object} found coolant where none belongs"),
        Happening::LoadTarget { target_w: Some(watts) } => {
            format!("The load is to be {}", format::megawatts(watts / 1e6))
        }
        Happening::LoadTarget { target_w: None } => "The load is to be the usual again".into(),
        Happening::Source { up: true } => "The source answers".into(),
        Happening::Source { up: false } => "The source does not answer".into(),
        Happening::Remark { until_ms: Some(until_ms) } => format!("Until {}", format::moment(*until_ms)),
        Happening::Remark { until_ms: None } => "Someone's remark".into(),
    }
}

/// What an error calls for, in plain words that say what to do.
pub fn action(action: XidAction) -> &'static str {
    match action {
        XidAction::Ignore => "Nothing needs to be done",
        XidAction::CheckSoftware => "Look at the program, or at the driver's own code, for what it did wrong",
        XidAction::RestartApp => "Start the program on the GPU again",
        XidAction::UpdateSoftware => "Bring driver and firmware up to date",
        XidAction::CheckUvm => "Look at the state of the unified-memory driver (UVM)",
        XidAction::CheckLink => "Look at the link, its cable and the device at its other end",
        XidAction::CheckMechanicals => "Look at connectors and seating",
        XidAction::Workflow => "Follow the steps that the vendor's catalog gives for this XID",
        XidAction::RunDiagnostics => "Take the GPU out of work and run its diagnostics",
        XidAction::ResetGpu => "Reset the GPU",
        XidAction::DrainAndReset => "Empty the node of work first, then reset the GPU",
        XidAction::RestartVm => "Start the virtual machine again",
        XidAction::RestartHost => "Empty the host of work, then start it again",
        XidAction::ContactSupport => "Drain the node and ask the vendor's support",
    }
}

/// How much a burst matters: by what it calls for, and by whether work was cut off.
pub fn burst_severity(burst: &Burst) -> Severity {
    match burst.action {
        XidAction::Ignore if !burst.disrupts_jobs => Severity::Note,
        XidAction::Ignore
        | XidAction::CheckSoftware
        | XidAction::RestartApp
        | XidAction::UpdateSoftware
        | XidAction::CheckUvm
        | XidAction::CheckLink
        | XidAction::CheckMechanicals
        | XidAction::Workflow => Severity::Warning,
        XidAction::RunDiagnostics
        | XidAction::ResetGpu
        | XidAction::DrainAndReset
        | XidAction::RestartVm
        | XidAction::RestartHost
        | XidAction::ContactSupport => Severity::Error,
    }
}

/// What decided what a burst calls for.
pub fn decided_by(burst: &Burst) -> String {
    match burst.decided_by {
        154 => "XID 154 decides: with it the driver names the recovery itself".into(),
        code if burst.codes.len() > 1 => format!("XID {code} decides: it calls for most"),
        code => format!("XID {code} decides"),
    }
}

/// How many errors a burst has, and how long it lasted.
pub fn burst_length(burst: &Burst) -> String {
    let count = format::things(burst.count, "error", "errors");
    let seconds = (burst.end_ms - burst.start_ms) as f64 / 1e3;
    if seconds < 1.0 {
        return format!("{count} at once");
    }
    format!("{count} in {}", format::duration(model::quantity::Span::from_seconds(seconds)))
}

/// Bursts and events of a stretch of time, in a sentence; of kinds without bursts the events alone.
pub fn finding(EventsView { bursts, events, more }: &EventsView, of_kind: &str) -> String {
    let open = bursts.iter().filter(|burst| !burst.closed).count() as u32;
    let cut = bursts.iter().filter(|burst| burst.disrupts_jobs).count() as u32;
    let events = format::things(events.len() as u32, "event", "events");
    let all = if *more { format!("the newest {events}") } else { format!("{events} in all") };
    if !has_bursts(of_kind) {
        return format!("{}.", all.replacen("the", "The", 1));
    }
    let mut said = vec![format::things(bursts.len() as u32, "burst of GPU errors", "bursts of GPU errors")];
    if cut > 0 {
        said.push(format!("{} most likely cut jobs off", format::count(cut)));
    }
    if open > 0 {
        said.push(format!("{} still going on", format::count(open)));
    }
    format!("{}; {all}.", said.join(", "))
}

/// Events under headings, newest first as they came: by the hour, or by the day where the time is long.
pub fn grouped(events: Vec<FleetEvent>, span_ms: i64) -> Vec<(String, Vec<FleetEvent>)> {
    const TWO_DAYS_MS: i64 = 172_800_000;
    let heading = |at_ms: i64| {
        if span_ms > TWO_DAYS_MS {
            format::day(at_ms)
        } else {
            format!("{}, from {}", format::day(at_ms), format::hour(at_ms))
        }
    };
    let mut groups: Vec<(String, Vec<FleetEvent>)> = Vec::new();
    for event in events {
        let heading = heading(event.at_ms);
        match groups.last_mut() {
            Some((last, group)) if *last == heading => group.push(event),
            Some(_) | None => groups.push((heading, vec![event])),
        }
    }
    groups
}

/// How often what happened, stretch by stretch.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// A lane for each kind that happened, what matters most first.
    pub lanes: Vec<Lane>,
    /// When each stretch begins, milliseconds since 1970 UTC.
    pub starts_ms: Vec<i64>,
    /// How long one is.
    pub step_ms: i64,
}

/// Stretches of a timeline, at most.
const STRETCHES: i64 = 48;
/// Lengths that a stretch may have, minutes.
const STEPS_MIN: [i64; 13] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 10_080];

/// Events counted by time and kind, from whole stretch to whole stretch.
pub fn timeline(events: &[FleetEvent], from_ms: i64, to_ms: i64) -> Timeline {
    let span_ms = (to_ms - from_ms).max(1);
    let fits = STEPS_MIN.iter().find(|minutes| span_ms / (*minutes * 60_000) < STRETCHES).or(STEPS_MIN.last());
    let step_ms = fits.map_or(span_ms, |minutes| minutes * 60_000);
    let first = from_ms.div_euclid(step_ms);
    let count = (to_ms - 1).div_euclid(step_ms) - first + 1;
    let starts_ms: Vec<i64> = (0..count.clamp(1, 2 * STRETCHES)).map(|at| (first + at) * step_ms).collect();
    let mut counts = vec![vec![0_u32; starts_ms.len()]; KINDS.len()];
    for event in events {
        let at = usize::try_from(event.at_ms.div_euclid(step_ms) - first).unwrap_or_default();
        if let Some(count) = counts[place(&event.what)].get_mut(at) {
            *count += 1;
        }
    }
    let lane = |(kind, counts): (&Kind, Vec<u32>)| Lane { name: kind.many.into(), severity: kind.severity, counts };
    let mut lanes: Vec<Lane> = KINDS.iter().zip(counts).map(lane).collect();
    lanes.retain(|lane| lane.counts.iter().any(|count| *count > 0));
    Timeline { lanes, starts_ms, step_ms }
}

impl Timeline {
    /// The fullest stretch, in a sentence without its full stop.
    pub fn finding(&self) -> String {
        let all: u32 = self.lanes.iter().flat_map(|lane| &lane.counts).sum();
        let fullest = (0..self.starts_ms.len()).max_by_key(|at| (self.count(*at), std::cmp::Reverse(*at)));
        match fullest {
            Some(at) if all > 0 => {
                let events = format::things(all, "event", "events");
                let most = format::count(self.count(at));
                format!("{events}; most of them, {most}, in the {} from {}", self.step(), self.start_words(at))
            }
            Some(_) | None => "Nothing happened in this time".into(),
        }
    }

    /// What stands beneath the picture: shares of its width, and times.
    pub fn marks(&self) -> Vec<(f64, String)> {
        let each = self.starts_ms.len().div_ceil(6).max(1);
        let all = self.starts_ms.len().max(1) as f64;
        let mark = |(at, start): (usize, &i64)| (at as f64 / all, self.short_words(*start));
        self.starts_ms.iter().enumerate().step_by(each).map(mark).collect()
    }

    /// How many events a stretch has.
    pub fn count(&self, at: usize) -> u32 {
        self.lanes.iter().filter_map(|lane| lane.counts.get(at)).sum()
    }

    /// When a stretch begins, in full.
    pub fn start_words(&self, at: usize) -> String {
        self.starts_ms.get(at).map_or_else(String::new, |start| format::moment(*start))
    }

    /// How long a stretch is: `15 minutes`, `3 hours`, `day`.
    pub fn step(&self) -> String {
        match self.step_ms / 60_000 {
            1 => "minute".into(),
            60 => "hour".into(),
            1_440 => "day".into(),
            10_080 => "week".into(),
            minutes if minutes < 60 => format!("{minutes} minutes"),
            minutes => format!("{} hours", minutes / 60),
        }
    }

    fn short_words(&self, start_ms: i64) -> String {
        const DAY_MS: i64 = 86_400_000;
        let told = match self.starts_ms.last().map_or(0, |last| last - self.starts_ms[0]) + self.step_ms {
            ..=DAY_MS => format::Told::Minutes,
            _ if self.step_ms >= DAY_MS => format::Told::Day,
            _ => format::Told::DayAndMinutes,
        };
        format::clock_time(start_ms, told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_435_200_000; // 23 Nov 2026, 12:00

    fn event(at_ms: i64, what: Happening) -> FleetEvent {
        FleetEvent { at_ms, source: "log".into(), host: None, gpu: None, what, message: String::new() }
    }

    #[test]
    fn kinds_are_those_of_the_wire() {
        let all = [
            Happening::Xid { code: 79, detail: None },
            Happening::Sxid { code: 1, fatal: true },
            Happening::GpuLost,
            Happening::GpuBack,
            Happening::HostRestarted,
            Happening::HostState { state: "ready".into() },
            Happening::Leak { object: "CDU 1".into() },
            Happening::LoadTarget { target_w: Some(1e6) },
            Happening::Source { up: false },
            Happening::Remark { until_ms: None },
        ];
        let mut named: Vec<&str> = all.iter().map(|what| kind(what).name).collect();
        for what in &all {
            let wire = serde_json::to_value(event(0, what.clone())).unwrap();
            assert_eq!(wire["what"], kind(what).name);
        }
        named.sort_unstable();
        named.dedup();
        assert_eq!(named.len(), KINDS.len());
    }

    #[test]
    fn an_error_is_told_with_its_meaning_where_that_is_known() {
        let meaning = XidMeaning {
            code: 79,
            mnemonic: "GPU_FELL_OFF_BUS".into(),
            words: "GPU has fallen off the bus".into(),
            immediate: XidAction::RestartHost,
            investigate: None,
        };
        let what = Happening::Xid { code: 79, detail: None };
        assert_eq!(sentence(&what, &[meaning]), "XID 79: GPU has fallen off the bus");
        assert_eq!(sentence(&what, &[]), "XID 79");
        let detail = Happening::Xid { code: 154, detail: Some("Drain and Reset".into()) };
        assert_eq!(sentence(&detail, &[]), "XID 154: Drain and Reset");
    }

    #[test]
    fn events_are_gathered_by_time() {
        let minute = |minutes: i64, what| event(NOON + minutes * 60_000, what);
        let events = vec![
            minute(70, Happening::GpuLost),
            minute(61, Happening::Xid { code: 79, detail: None }),
            minute(60, Happening::Xid { code: 79, detail: None }),
            minute(2, Happening::Remark { until_ms: None }),
        ];
        let line = timeline(&events, NOON, NOON + 7_200_000);
        assert_eq!((line.step_ms, line.starts_ms.len()), (300_000, 24));
        let names: Vec<&str> = line.lanes.iter().map(|lane| lane.name.as_str()).collect();
        assert_eq!(names, ["GPU errors (XID)", "GPUs lost", "Remarks"]);
        assert_eq!(line.finding(), "4 events; most of them, 2, in the 5 minutes from 23 Nov 2026, 13:00 UTC");
        let groups = grouped(events, 7_200_000);
        assert_eq!(groups.iter().map(|(_, group)| group.len()).collect::<Vec<_>>(), [3, 1]);
        assert_eq!(groups[0].0, "23 November 2026, from 13:00");
        assert_eq!(timeline(&[], NOON, NOON).finding(), "Nothing happened in this time");
    }
}
