//! The catalog of XIDs, and what one line of the driver calls for.
//!
//! Never: groups errors (`burst` does), reads a log (`kernel_log` does), or says that an error it does not know is
//! harmless: whatever the catalog does not hold is one for support, as its publisher has it.

use model::event::{XidAction, XidMeaning};
use serde::Deserialize;
use std::sync::LazyLock;

/// Words for the many numbers that nothing uses any more.
const UNUSED: &str = "No longer used; a driver that reports it does what nobody expects";

/// A generation of GPUs that the catalog tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Generation {
    /// Ampere.
    A100,
    /// Hopper.
    H100,
    /// Blackwell.
    B100,
    /// Blackwell with Grace.
    Gb200,
}

const ALL: [Generation; 4] = [Generation::A100, Generation::H100, Generation::B100, Generation::Gb200];

/// A row of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it means and calls for.
    pub meaning: XidMeaning,
    /// The generations it is listed for; none where nothing uses it.
    pub on: Vec<Generation>,
    /// Whether it ends a program though nothing is to be done.
    pub stops: bool,
    /// Whether the catalog gives no action, and this is our own judgement.
    pub ours: bool,
}

/// What one error calls for: the catalog's row, or what the driver's own line says more closely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What to do first.
    pub action: XidAction,
    /// What to look into after that.
    pub investigate: Option<XidAction>,
    /// What the line says beyond its number, in words.
    pub why: Option<String>,
}

/// The row of a number, where the catalog has one.
pub fn row(code: u32) -> Option<&'static Row> {
    let at = CATALOG.rows.binary_search_by_key(&code, |row| row.meaning.code).ok()?;
    CATALOG.rows.get(at)
}

/// What a number means. One that the catalog does not hold is one for support: it may be newer than we are.
pub fn meaning(code: u32) -> XidMeaning {
    row(code).map_or_else(
        || XidMeaning {
            code,
            mnemonic: String::new(),
            words: "Not in the catalog; the driver may be newer than it".into(),
            immediate: XidAction::ContactSupport,
            investigate: None,
        },
        |row| row.meaning.clone(),
    )
}

/// What an error calls for, by its number and the driver's words.
pub fn verdict(code: u32, message: &str) -> Verdict {
    let closer = match code {
        74 => registers(message),
        144..=150 => nvlink(code, message),
        154 => recovery(message).map(|action| Verdict { action, investigate: None, why: None }),
        _ => None,
    };
    closer.unwrap_or_else(|| {
        let XidMeaning { immediate, investigate, .. } = meaning(code);
        Verdict { action: immediate, investigate, why: None }
    })
}

/// The recovery that XID 154 asks for: `… changed from 0x0 (None) to 0x1 (GPU Reset Required)`, or the last words alone.
pub fn recovery(message: &str) -> Option<XidAction> {
    let asked = recovery_words(message)?;
    let words = asked.to_ascii_lowercase();
    let number = || message.rsplit_once(" to 0x")?.1.split(|c: char| !c.is_ascii_hexdigit()).next()?.parse().ok();
    Some(match words.as_str() {
        words if words.contains("drain") && words.contains("reset") => XidAction::DrainAndReset,
        words if words.contains("drain") => XidAction::RestartApp,
        words if words.contains("reboot") => XidAction::RestartHost,
        words if words.contains("reset") || words.contains("flr") => XidAction::ResetGpu,
        "none" => XidAction::Ignore,
        _ => match number() {
            Some(0) => XidAction::Ignore,
            Some(1) => XidAction::ResetGpu,
            Some(2) => XidAction::RestartHost,
            Some(3) => XidAction::RestartApp,
            Some(4) => XidAction::DrainAndReset,
            None | Some(5_u32..) => return None,
        },
    })
}

/// The words by which XID 154 names its recovery.
pub fn recovery_words(message: &str) -> Option<&str> {
    let text = after_number(message).unwrap_or(message);
    let text = text.rsplit_once(" to ").map_or(text, |(_, asked)| asked).trim();
    let text = if text.ends_with(" to") { "" } else { text };
    let words = match (text.rfind('('), text.rfind(')')) {
        (Some(open), Some(close)) if open < close => &text[open + 1..close],
        _ => text,
    };
    (!words.is_empty()).then_some(words)
}

/// What follows `Xid (PCI:…): 79, ` in a line, process and its name left out.
pub fn after_number(message: &str) -> Option<&str> {
    let at = message.find("Xid (").or_else(|| message.find("XID ("))?;
    let (_, mut rest) = message.get(at..)?.split_once("): ")?.1.split_once(',')?;
    while let Some((field, more)) = rest.split_once(',')
        && ["pid=", "name="].iter().any(|name| field.trim_start().starts_with(name))
    {
        rest = more;
    }
    Some(rest.trim())
}

/// Decodes an NVLink error of Blackwell: `RLW_REMAP Nonfatal XC1 i0 Link 03 (<interrupt information> <error status> …)`.
/// Which of its two layouts a driver speaks is told by what matches; where both do, the unit's name decides, then the
/// more severe action.
fn nvlink(code: u32, message: &str) -> Option<Verdict> {
    let text = after_number(message)?;
    let unit = text.split_whitespace().next()?.trim_end_matches(',');
    let words: Vec<u32> = text.split(|c: char| c.is_whitespace() || "()[],".contains(c)).filter_map(hex).collect();
    let (info, status) = (*words.first()?, words.get(1).copied());
    let found: Vec<(bool, &Case)> = CATALOG
        .nvlink
        .iter()
        .filter(|row| row.xid == code && row.fits(info))
        .flat_map(|row| row.cases.iter().map(move |case| (row.is_called(unit), row, case)))
        .filter_map(|(named, row, case)| case.fits(row, info, status).then_some((named, case)))
        .collect();
    let named = found.iter().any(|(named, _)| *named);
    let worst = found.into_iter().filter(|(is, _)| *is == named).max_by_key(|(_, case)| case.action(info))?.1;
    Some(Verdict {
        action: worst.action(info),
        investigate: Some(worst.then),
        why: Some(format!("in the unit {unit}")),
    })
}

/// Decodes the registers of XID 74: `fatal error detected on link 6(0x10000, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0)`.
fn registers(message: &str) -> Option<Verdict> {
    let text = after_number(message)?;
    let list = text.rsplit_once('(')?.1.split(')').next()?;
    let words: Option<Vec<u32>> = list.split(',').map(|word| hex(word.trim())).collect();
    let words = words.filter(|words| (3..=8).contains(&words.len()))?;
    let set = words.iter().zip(1_u32..).flat_map(|(word, of)| {
        (0..32_u32).filter(move |bit| word & (1 << bit) != 0 && [1, 3, 4, 5].contains(&of)).map(move |bit| (of, bit))
    });
    let mut found: Vec<Option<&Register>> =
        set.map(|(of, bit)| CATALOG.register.iter().find(|row| row.of == of && row.bits.contains(&bit))).collect();
    // What follows from another error says nothing where that other error is there too.
    if found.iter().any(|row| row.is_none_or(|row| !row.secondary && row.now != XidAction::Ignore)) {
        found.retain(|row| row.is_none_or(|row| !row.secondary));
    }
    let action = found.iter().map(|row| row.map_or(XidAction::ContactSupport, |row| row.now)).max()?;
    let mut why: Vec<&str> = Vec::new();
    for words in found.iter().map(|row| row.map_or("a bit is set that the catalog does not expect", |row| &row.words)) {
        if !why.contains(&words) {
            why.push(words);
        }
    }
    Some(Verdict { action, investigate: Some(XidAction::CheckLink), why: Some(why.join("; ")) })
}

fn hex(word: &str) -> Option<u32> {
    u32::from_str_radix(word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"))?, 16).ok()
}

static CATALOG: LazyLock<Catalog> =
    LazyLock::new(|| parse(include_str!("../rows/xid.toml")).expect("a test reads the catalog that we ship"));

#[derive(Debug)]
struct Catalog {
    rows: Vec<Row>,
    nvlink: Vec<NvlinkRow>,
    register: Vec<Register>,
}

fn parse(text: &str) -> Result<Catalog, toml::de::Error> {
    let Written { xid, unused, nvlink, register, .. } = toml::from_str(text)?;
    let mut rows: Vec<Row> = xid.into_iter().chain(unused).map(Row::from).collect();
    rows.sort_by_key(|row| row.meaning.code);
    Ok(Catalog { rows, nvlink, register })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "as_of")]
    _as_of: String,
    xid: Vec<WrittenRow>,
    unused: Vec<WrittenRow>,
    nvlink: Vec<NvlinkRow>,
    register: Vec<Register>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRow {
    code: u32,
    name: String,
    words: Option<String>,
    on: Option<Vec<Generation>>,
    now: Option<XidAction>,
    then: Option<XidAction>,
    #[serde(default)]
    stops: bool,
    #[serde(default)]
    ours: bool,
}

impl From<WrittenRow> for Row {
    fn from(row: WrittenRow) -> Self {
        let used = row.words.is_some();
        let meaning = XidMeaning {
            code: row.code,
            mnemonic: row.name,
            words: row.words.unwrap_or_else(|| UNUSED.into()),
            immediate: row.now.unwrap_or(XidAction::ContactSupport),
            investigate: row.then,
        };
        let on = row.on.unwrap_or_else(|| if used { ALL.to_vec() } else { Vec::new() });
        Self { meaning, on, stops: row.stops, ours: row.ours }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NvlinkRow {
    xid: u32,
    unit: String,
    v1: u32,
    v2: u32,
    cases: Vec<Case>,
}

impl NvlinkRow {
    fn fits(&self, info: u32) -> bool {
        info & 0x3ff == self.v1 || info & 0x7f == self.v2
    }
    fn is_called(&self, unit: &str) -> bool {
        self.unit.split('/').any(|name| name == unit)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Bits 20 to 25 of the interrupt information: how a link went down. Zero for all but that.
    #[serde(default = "not_down")]
    down: Vec<u32>,
    /// Error statuses; none for any.
    #[serde(default)]
    status: Vec<u32>,
    now: XidAction,
    then: XidAction,
    /// A bit above the unit makes it call for a reset.
    #[serde(default)]
    flagged: bool,
}

fn not_down() -> Vec<u32> {
    vec![0]
}

impl Case {
    fn fits(&self, row: &NvlinkRow, info: u32, status: Option<u32>) -> bool {
        // Up to 148 the status is a set of bits, of which a line may carry several; after that it is a number.
        let same = |known: &u32| status.is_some_and(|status| status == *known || row.xid <= 148 && status & known != 0);
        self.down.contains(&((info >> 20) & 0x3f)) && (self.status.is_empty() || self.status.iter().any(same))
    }
    fn action(&self, info: u32) -> XidAction {
        // The low bits tell the layout: what they say of the unit in one is impossible in the other.
        let bit = if info & 0x1f == 0b0_0010 { 10 } else { 7 };
        if self.flagged && info & (1 << bit) != 0 { XidAction::ResetGpu } else { self.now }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Register {
    /// Which of the seven, from 1.
    of: u32,
    bits: Vec<u32>,
    now: XidAction,
    /// It follows from another error, and counts only where there is none.
    #[serde(default)]
    secondary: bool,
    words: String,
}

#[cfg(test)]
mod tests;
