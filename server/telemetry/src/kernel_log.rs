//! The kernel's log: lines in, what they tell of GPUs and switches out.
//!
//! Never: believes a line that another program is seen to have written, keeps a line that is not about a GPU, or lets a line
//! of any length or bytes do harm. The journal and `/dev/kmsg` tell the kernel apart for certain; a text file only by the
//! name that a line bears, which whoever may write to it can choose.
//!
//! Read `Parser` first (lines, no I/O), then `stamp` (their times), `tail` (files that grow and turn over) and `follow`
//! (the source).

pub mod follow;
mod stamp;
mod tail;

pub use follow::{KernelLogSource, Origin};

use crate::xid;
use model::event::{FleetEvent, Happening};
use serde_json::Value;
use stamp::Stamp;
use std::collections::BTreeMap;

/// The longest line that is looked at; of a longer one, the beginning.
pub const LINE_MAX: usize = 16 * 1024;
/// The longest words that are kept of a line.
const WORDS_MAX: usize = 1_024;
/// GPUs whose ids are remembered: more than any host has.
const GPUS_MAX: usize = 4_096;

/// What turns the times of lines into times of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Clock {
    /// When the host started, milliseconds since 1970 UTC: lines often count from there.
    pub boot_ms: Option<i64>,
    /// How far the host's local time is ahead of UTC, seconds: some lines are stamped with it.
    pub utc_offset_s: i32,
}

/// Reads one line after the other.
#[derive(Debug, Clone, Default)]
pub struct Parser {
    /// The source's name.
    pub source: String,
    /// The host; where it is absent, what the line says.
    pub host: Option<String>,
    /// What times are reckoned by.
    pub clock: Clock,
    /// The id of each GPU, by its PCI address, as far as lines have told.
    pub gpus: BTreeMap<String, String>,
    /// When the last line was, milliseconds since 1970 UTC.
    last_ms: Option<i64>,
    /// The GPU that a message of several lines is about.
    about: Option<String>,
}

impl Parser {
    /// A parser that has read nothing.
    pub fn of(source: &str, host: Option<&str>, clock: Clock) -> Self {
        Self { source: source.to_owned(), host: host.map(str::to_owned), clock, ..Self::default() }
    }

    /// What a line tells; nothing for most. A line without a time has the one of its reading, `now_ms`.
    pub fn line(&mut self, line: &[u8], now_ms: i64) -> Option<FleetEvent> {
        let line = String::from_utf8_lossy(line.get(..LINE_MAX).unwrap_or(line));
        let line = line.trim_end_matches(['\r', '\n', '\0']);
        if line.starts_with('{') { self.journal(line, now_ms) } else { self.text(line, now_ms) }
    }

    fn text(&mut self, line: &str, now_ms: i64) -> Option<FleetEvent> {
        let (head, words) = split(line)?;
        let stamp = stamp::stamp(head);
        let at_ms = stamp.and_then(|stamp| self.clock.reckon(stamp, self.last_ms, now_ms));
        self.last_ms = at_ms.or(self.last_ms);
        let host = host_in(head);
        self.event(words, at_ms.unwrap_or(now_ms), host)
    }

    /// A line of `journalctl -o json`.
    fn journal(&mut self, line: &str, now_ms: i64) -> Option<FleetEvent> {
        let Value::Object(fields) = serde_json::from_str(line).ok()? else { return None };
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        if text("_TRANSPORT").is_some_and(|transport| transport != "kernel") {
            return None;
        }
        let message = match fields.get("MESSAGE")? {
            Value::String(message) => message.clone(),
            // Bytes that are no text come as numbers.
            Value::Array(bytes) => {
                let bytes: Option<Vec<u8>> = bytes.iter().map(|byte| byte.as_u64()?.try_into().ok()).collect();
                String::from_utf8_lossy(&bytes?).into_owned()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
        };
        let (_, words) = split(message.trim_end())?;
        let micros = |name: &str| text(name).and_then(|text| text.parse::<i64>().ok());
        // The journal notes when it took a line in, which at boot is seconds after the kernel wrote it.
        let late = micros("__MONOTONIC_TIMESTAMP")
            .zip(micros("_SOURCE_MONOTONIC_TIMESTAMP"))
            .map_or(0, |(taken, written)| taken.saturating_sub(written).max(0));
        let at_ms = micros("__REALTIME_TIMESTAMP").map(|at| at.saturating_sub(late) / 1_000);
        self.event(words, at_ms.unwrap_or(now_ms), text("_HOSTNAME"))
    }

    fn event(&mut self, words: &str, at_ms: i64, host: Option<&str>) -> Option<FleetEvent> {
        let (what, gpu) = self.tell(words)?;
        let end = (0..=WORDS_MAX.min(words.len())).rev().find(|at| words.is_char_boundary(*at)).unwrap_or(0);
        Some(FleetEvent {
            at_ms,
            source: self.source.clone(),
            host: self.host.clone().or_else(|| host.map(str::to_owned)),
            gpu: gpu.map(|pci| self.gpus.get(&pci).cloned().unwrap_or(pci)),
            what,
            message: words.get(..end).unwrap_or_default().to_owned(),
        })
    }

    /// What the kernel's words tell, and the PCI address that they are about.
    fn tell(&mut self, words: &str) -> Option<(Happening, Option<String>)> {
        if words.starts_with("nvidia-nvswitch") || words.starts_with("detected NVSwitch") {
            return sxid(words).map(|what| (what, None));
        }
        if words.starts_with("Linux version ") {
            return Some((Happening::HostRestarted, None));
        }
        let rest = words.strip_prefix("NVRM:")?.trim_start();
        if rest.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("xid (")) {
            let (code, pci) = xid_and_address(rest)?;
            let detail = match code {
                154 => xid::recovery_words(words),
                144..=150 => xid::after_number(words).and_then(|text| text.split_whitespace().next()),
                _ => None,
            };
            return Some((
                Happening::Xid { code, detail: detail.map(|text| text.chars().take(80).collect()) },
                Some(pci),
            ));
        }
        let named = rest.split([' ', ',', ';']).find_map(pci_address);
        if rest.contains("fallen off the bus") || rest.contains("Has fallen off") {
            return Some((Happening::GpuLost, named.or_else(|| self.about.clone())));
        }
        if let Some(pci) = named {
            let uuid = rest.split([' ', ',']).find(|word| is_uuid(word));
            if let Some(uuid) = uuid.filter(|_| rest.starts_with("GPU at ") && self.gpus.len() < GPUS_MAX) {
                self.gpus.insert(pci.clone(), uuid.to_owned());
            }
            self.about = Some(pci);
        }
        None
    }
}

/// A PCI address in one spelling, `0000:9b:00.0`: the driver leaves the function out, its library writes a longer
/// domain in capitals. `None` where the text is no address.
pub fn pci_address(text: &str) -> Option<String> {
    let text = text.strip_prefix("PCI:").unwrap_or(text).trim_end_matches([':', '.', ')']);
    let mut parts = text.rsplit(':');
    let (device, function) = parts.next().map(|last| last.split_once('.').unwrap_or((last, "0")))?;
    let (bus, domain) = (parts.next()?, parts.next().unwrap_or("0"));
    let number = |part: &str, digits: usize| {
        let good = (1..=digits).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        good.then(|| u32::from_str_radix(part, 16).ok()).flatten()
    };
    let [domain, bus, device, function] =
        [number(domain, 8)?, number(bus, 2)?, number(device, 2)?, number(function, 4)?];
    parts.next().is_none().then(|| format!("{domain:04x}:{bus:02x}:{device:02x}.{function:x}"))
}

fn is_uuid(word: &str) -> bool {
    let rest = word.strip_prefix("GPU-").unwrap_or_default();
    rest.len() == 36 && rest.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Number and PCI address of `Xid (PCI:0000:b9:00.0): 119, …`; a MIG instance may stand behind the address.
fn xid_and_address(text: &str) -> Option<(u32, String)> {
    let (place, rest) = text.split_once('(')?.1.split_once(')')?;
    let pci = pci_address(place.split_whitespace().next()?)?;
    let rest = rest.strip_prefix(':')?.trim_start();
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let ended = rest[end..].chars().next().is_none_or(|next| !next.is_alphanumeric());
    Some((rest[..end].parse().ok().filter(|_| ended)?, pci))
}

/// `nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 28006, Non-fatal, Link 46 …`, and how the fabric manager tells the same.
/// Lines that follow with the same number and raw data are no errors of their own.
fn sxid(words: &str) -> Option<Happening> {
    if let Some(told) = words.strip_prefix("detected NVSwitch ") {
        let (severity, rest) = told.split_once(" error ")?;
        let code = rest.split_whitespace().next()?.parse().ok()?;
        return Some(Happening::Sxid { code, fatal: severity.eq_ignore_ascii_case("fatal") });
    }
    let (place, rest) = words.split_once("SXid (")?.1.split_once(')')?;
    pci_address(place)?;
    let mut fields = rest.strip_prefix(':')?.split(',').map(str::trim);
    let code = fields.next()?.parse().ok()?;
    match fields.next()? {
        more if more.starts_with("Severity") || more.starts_with("Data") => None,
        more => Some(Happening::Sxid { code, fatal: more.eq_ignore_ascii_case("fatal") }),
    }
}

/// A line's head and the kernel's own words; `None` where the words are not about what we look for, or not the kernel's:
/// anyone can have a program write them into the same file.
fn split(line: &str) -> Option<(&str, &str)> {
    const STARTS: [&str; 4] = ["NVRM:", "nvidia-nvswitch", "Linux version ", "detected NVSwitch "];
    let at = STARTS.into_iter().filter_map(|start| line.find(start)).min()?;
    let (head, words) = line.split_at_checked(at)?;
    let last = head.split_whitespace().next_back().unwrap_or_default();
    let kernels = last.is_empty()
        || last == "-"
        || last.ends_with([']', ';', '>'])
        || last.trim_end_matches(':').ends_with("kernel")
        || last.ends_with(|c: char| c.is_ascii_digit() || c == 'Z')
        || matches!(last, ":" | "info:" | "warn:" | "err:" | "notice:" | "crit:");
    let said = head.contains(['"', '\'', '`']) || last.ends_with("]:") || is_a_programs(head);
    (kernels && !said).then_some((head, words))
}

/// Whether a head names a program as the one that wrote the line: what follows is then the program's to choose, `kernel:`
/// and a time since boot too. A name stands behind the host, `job[4711]:`, or is the fourth word of RFC 5424. The fabric
/// manager is a program that is believed.
fn is_a_programs(head: &str) -> bool {
    const LEVELS: [&str; 5] = ["info:", "warn:", "err:", "notice:", "crit:"];
    let mut words = head.split_whitespace();
    let first = words.next().unwrap_or_default();
    let name = if first.starts_with('<') && first.ends_with(">1") {
        words.nth(2)
    } else {
        words.find(|word| word.len() > 1 && word.ends_with(':') && !LEVELS.contains(word))
    };
    name.is_some_and(|name| !name.trim_end_matches(':').ends_with("kernel") && !name.starts_with("nv-fabricmanager"))
}

/// The host in `Feb 23 16:24:18 node7 kernel: …` or `2025-02-23T16:24:18+0000 node7 kernel: …`.
fn host_in(head: &str) -> Option<&str> {
    let before = head.find(" kernel").map(|at| &head[..at])?;
    let host = before.split_whitespace().next_back()?;
    let named = host.starts_with(|c: char| c.is_ascii_alphanumeric()) && !host.contains([':', '[', '<', '+', ',']);
    named.then_some(host)
}

impl Clock {
    /// A line's time, milliseconds since 1970 UTC.
    fn reckon(&self, stamp: Stamp, last_ms: Option<i64>, now_ms: i64) -> Option<i64> {
        let local = |ms: i64| ms.checked_sub(i64::from(self.utc_offset_s) * 1_000);
        match stamp {
            Stamp::SinceBoot(ms) => self.boot_ms?.checked_add(ms),
            Stamp::SinceLast(ms) => last_ms?.checked_add(ms),
            Stamp::Utc(ms) => Some(ms),
            Stamp::Local(ms) => local(ms),
            // The year is left out: the latest that does not put the line a day into the future.
            Stamp::Yearless { month, day, ms_of_day } => {
                let this_year = stamp::year_of(now_ms);
                [this_year + 1, this_year, this_year - 1, this_year - 2, this_year - 3, this_year - 4]
                    .into_iter()
                    .filter_map(|year| local(stamp::civil(year, month, day)?.checked_add(ms_of_day)?))
                    .find(|at| *at <= now_ms.saturating_add(86_400_000))
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
