//! Reads the pages of one target, and remembers its series from page to page.
//!
//! Never: trusts a page. What it remembers is bounded by what a page may hold, and forgotten when a target's series come
//! and go.
//!
//! A steady page costs one comparison and one number for each line. Each series knows which one followed it last time;
//! only where the guess is wrong is its text hashed and looked up, and only where it is new is it parsed and mapped.

use crate::exposition::{Bad, Faults, Format, Limits, Line, Lines, Why, mistaken_for_metrics, series};
use crate::names::{Info, Mapped, Scale, Site, canonical, info};
use crate::source::Batch;
use model::reading::{Labels, SeriesKey};
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::Arc;

/// What a page came to.
#[derive(Debug, Default, PartialEq)]
pub struct Page {
    /// The readings.
    pub batch: Batch,
    /// Lines that were wrong.
    pub faults: Faults,
    /// Lines with a sample.
    pub samples: u32,
    /// Exporters that were met for the first time.
    pub exporters: BTreeSet<&'static str>,
}

/// Why a page is not used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no page of metrics.
    #[error("this is {0}, not metrics")]
    NotMetrics(&'static str),
    /// It is cut off, or more than is allowed.
    #[error("{}", .0.why)]
    Bounds(Bad),
}

/// What becomes of series that mean nothing to the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmapped {
    /// They are left out; those that are not known are counted.
    Left,
    /// They are kept under their own names.
    Kept,
}

/// A sample may be this much ahead of our clock.
const AHEAD_MS: i64 = 600_000;

/// No series.
const NONE: u32 = u32::MAX;

/// The reader of one target's pages.
#[derive(Debug)]
pub struct Reader {
    site: Site,
    unmapped: Unmapped,
    limits: Limits,
    /// Number of the page, from 1.
    page: u32,
    known: Known,
    gpus: HashMap<String, Vec<(String, String)>>,
    /// Whether the host is known, and not only where the target answers.
    named: bool,
    /// What is known was mapped with labels that have changed, or is mostly out of use.
    outdated: bool,
    exporters: BTreeSet<&'static str>,
    /// How many readings the last page had.
    readings: usize,
}

/// The series that are known by their text.
#[derive(Debug, Default)]
struct Known {
    texts: Vec<u8>,
    slots: Vec<Slot>,
    by_text: HashMap<u64, u32, BuildHasherDefault<Hashed>>,
    keys: Vec<Key>,
    by_key: HashMap<Arc<SeriesKey>, u32>,
    seed: u64,
}

/// A text, and what it becomes.
#[derive(Debug)]
struct Slot {
    /// Where its text is.
    from: usize,
    to: usize,
    /// The page that it was last on.
    seen: u32,
    /// The series that followed it there.
    next: u32,
    becomes: Becomes,
}

#[derive(Debug)]
enum Becomes {
    Reading { key: u32, scale: Scale, rank: u8 },
    Ignored,
    Unknown,
    Bad(Box<Why>),
}

/// A key, to which several texts may come: another name of the same, another pod on the same GPU.
#[derive(Debug)]
struct Key {
    series: Arc<SeriesKey>,
    /// The page that it last had a reading on.
    seen: u32,
    /// The rank of that reading, and where it stands in the batch.
    rank: u8,
    stands_at: u32,
}

impl Reader {
    /// A reader of the pages of a target at `site`. Where its host is empty, a page may name it; `host` is taken where
    /// none does.
    pub fn new(site: Site, host: &str, unmapped: Unmapped, limits: Limits) -> Self {
        Self {
            unmapped,
            limits,
            page: 0,
            known: Known { seed: RandomState::new().hash_one(0), ..Known::default() },
            gpus: HashMap::new(),
            named: !site.host.is_empty(),
            site: if site.host.is_empty() { Site { host: host.to_owned(), ..site } } else { site },
            outdated: false,
            exporters: BTreeSet::new(),
            readings: 0,
        }
    }

    /// The exporters that were met so far.
    pub fn exporters(&self) -> impl Iterator<Item = &'static str> {
        self.exporters.iter().copied()
    }

    /// Reads a page that came at `at_ms`.
    pub fn read(&mut self, body: &[u8], format: Format, at_ms: i64) -> Result<Page, Refused> {
        if let Some(what) = mistaken_for_metrics(body) {
            return Err(Refused::NotMetrics(what));
        }
        self.page += 1;
        if std::mem::take(&mut self.outdated) {
            self.known = Known { seed: self.known.seed, ..Known::default() };
        }
        let batch = Batch { at_ms, readings: Vec::with_capacity(self.readings), unknown: 0 };
        let mut page = Page { batch, ..Page::default() };
        let mut lines = Lines::new(body, format, self.limits);
        // What is new is mapped when the whole page was seen, for a line may tell of those before it.
        let all_new = if self.known.slots.is_empty() { (body.len() / 64).min(self.limits.samples as usize) } else { 0 };
        let mut new = Vec::with_capacity(all_new);
        let mut before = NONE;
        loop {
            let guess = self.known.after(before);
            let (right, line) = match lines.next_like(self.known.text(guess)) {
                None => break,
                Some((right, Ok(line))) => (right, line),
                Some((_, Err(bad))) => {
                    page.note(bad)?;
                    continue;
                }
            };
            let found = if right { Some(guess) } else { self.known.find(line.series) };
            match found {
                Some(slot) => {
                    self.known.link(before, slot);
                    before = slot;
                    self.take(slot, &line, &mut page);
                }
                None => new.push(line),
            }
        }
        self.learn(&new);
        for line in &new {
            self.add(line, &mut page);
        }
        page.samples = lines.samples();
        self.outdated |= self.known.slots.len() > 2 * page.samples as usize + 1024;
        self.readings = page.batch.readings.len();
        Ok(page)
    }

    /// Uses a line whose series is known.
    fn take(&mut self, at: u32, line: &Line<'_>, page: &mut Page) {
        let slot = &mut self.known.slots[at as usize];
        let again = std::mem::replace(&mut slot.seen, self.page) == self.page;
        if again && line.at_ms.is_none() {
            return page.faults.push(Bad { line: line.number, why: Why::Twice });
        }
        let (key, scale, rank) = match &slot.becomes {
            Becomes::Reading { key, scale, rank } => (&mut self.known.keys[*key as usize], *scale, *rank),
            Becomes::Ignored => return,
            Becomes::Unknown => {
                page.batch.unknown += 1;
                return;
            }
            Becomes::Bad(why) => return page.faults.push(Bad { line: line.number, why: Why::clone(why) }),
        };
        if line.at_ms.is_some_and(|at_ms| at_ms > page.batch.at_ms.saturating_add(AHEAD_MS)) {
            return page.faults.push(Bad { line: line.number, why: Why::Future });
        }
        let value = scale.apply(line.value);
        if !value.is_finite() {
            return; // what is no number was not read
        }
        let readings = &mut page.batch.readings;
        if key.seen != self.page || again {
            key.seen = self.page;
            key.rank = rank;
            key.stands_at = readings.len() as u32;
            readings.push((Arc::clone(&key.series), line.at_ms, value));
        } else if rank < key.rank {
            key.rank = rank;
            (readings[key.stands_at as usize].1, readings[key.stands_at as usize].2) = (line.at_ms, value);
        }
    }

    /// Takes in what new series tell of others.
    fn learn(&mut self, new: &[Line<'_>]) {
        let tells =
            |text: &[u8]| [&b"nvidia_smi_gpu_info"[..], b"node_uname_info"].iter().any(|name| text.starts_with(name));
        for line in new.iter().filter(|line| tells(line.series)) {
            let Ok(series) = series(line.series) else { continue };
            let changed = match info(&series.name, &series.labels) {
                None => false,
                // Of two hosts on one page, and where the settings name one, the first stands.
                Some(Info::Host(_)) if self.named => false,
                Some(Info::Host(host)) => {
                    self.named = true;
                    std::mem::replace(&mut self.site.host, host.clone()) != host && self.page > 1
                }
                Some(Info::Gpu { uuid, labels }) => {
                    self.gpus.insert(uuid, labels.clone()).is_some_and(|before| before != labels)
                }
            };
            self.outdated |= changed;
        }
    }

    /// Maps a series that is not known, remembers it and uses its line.
    fn add(&mut self, line: &Line<'_>, page: &mut Page) {
        // Where it stands twice on the page that it is new on, it is known by now.
        let slot = self.known.find(line.series).unwrap_or_else(|| {
            let becomes = self.map(line.series, page);
            self.known.add(line.series, becomes)
        });
        self.take(slot, line, page);
    }

    /// What a text becomes.
    fn map(&mut self, text: &[u8], page: &mut Page) -> Becomes {
        let series = match series(text) {
            Ok(series) => series,
            Err(why) => return Becomes::Bad(Box::new(why)),
        };
        let meaning = match canonical(&series.name, &series.labels) {
            Mapped::Reading(meaning) => meaning,
            Mapped::Ignored if self.unmapped == Unmapped::Left => return Becomes::Ignored,
            Mapped::Unknown if self.unmapped == Unmapped::Left => return Becomes::Unknown,
            Mapped::Ignored | Mapped::Unknown => {
                let labels = self.placed(None, Labels::of(series.labels));
                let key = self.known.key(SeriesKey { name: series.name, labels });
                return Becomes::Reading { key, scale: Scale::ONE, rank: 0 };
            }
        };
        if self.exporters.insert(meaning.exporter) {
            page.exporters.insert(meaning.exporter);
        }
        let labels = self.placed(Some(meaning.metric), meaning.labels);
        let key = self.known.key(SeriesKey { name: meaning.metric.name().to_owned(), labels });
        Becomes::Reading { key, scale: meaning.scale, rank: meaning.rank }
    }

    /// Labels with what the page and the site know besides.
    fn placed(&self, metric: Option<model::metric::Metric>, labels: Labels) -> Labels {
        let gpu = labels.get(model::reading::label::UUID).and_then(|uuid| self.gpus.get(uuid));
        let labels = match gpu {
            Some(more) => {
                let more = more.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                Labels::of(more.chain(labels.iter())) // the series' own stand
            }
            None => labels,
        };
        self.site.complete(metric, labels)
    }
}

impl Page {
    /// Notes a line that is wrong; some are the whole page's fault.
    fn note(&mut self, bad: Bad) -> Result<(), Refused> {
        if matches!(bad.why, Why::NoEof | Why::TooManyBytes(_) | Why::TooManySamples(_)) {
            return Err(Refused::Bounds(bad));
        }
        self.faults.push(bad);
        Ok(())
    }
}

impl Known {
    fn text(&self, slot: u32) -> &[u8] {
        self.slots.get(slot as usize).map_or(&[], |slot| &self.texts[slot.from..slot.to])
    }

    /// What followed a series on the last page; the first of all for none.
    fn after(&self, slot: u32) -> u32 {
        self.slots.get(slot as usize).map_or(0, |slot| slot.next)
    }

    fn link(&mut self, before: u32, slot: u32) {
        if let Some(before) = self.slots.get_mut(before as usize) {
            before.next = slot;
        }
    }

    fn find(&self, text: &[u8]) -> Option<u32> {
        let slot = *self.by_text.get(&hash(self.seed, text))?;
        (self.text(slot) == text).then_some(slot)
    }

    /// The number of a key, which is made where it is not known.
    fn key(&mut self, key: SeriesKey) -> u32 {
        if let Some(known) = self.by_key.get(&key) {
            return *known;
        }
        let key = Arc::new(key);
        let number = self.keys.len() as u32;
        self.keys.push(Key { series: Arc::clone(&key), seen: 0, rank: 0, stands_at: 0 });
        self.by_key.insert(key, number);
        number
    }

    fn add(&mut self, text: &[u8], becomes: Becomes) -> u32 {
        let slot = self.slots.len() as u32;
        let from = self.texts.len();
        self.texts.extend_from_slice(text);
        // What is added stands in the order of the page, so the one after it will most likely follow.
        self.slots.push(Slot { from, to: self.texts.len(), seen: 0, next: slot + 1, becomes });
        self.by_text.insert(hash(self.seed, text), slot);
        slot
    }
}

/// Passes a hash on as it is.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {}
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// A hash by folded products, eight bytes at a time: several times as fast as the standard library's on texts of a
/// hundred bytes. The seed is drawn for each reader, and a text is compared before it is taken for another.
fn hash(seed: u64, text: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15; // 2^64 by the golden ratio
    let by = seed.rotate_left(32) ^ ODD;
    let fold = |state: u64| {
        let wide = u128::from(state) * u128::from(by | 1);
        (wide as u64) ^ (wide >> 64) as u64
    };
    let (words, rest) = text.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let state = words.iter().fold(seed ^ text.len() as u64, |state, word| fold(state ^ u64::from_le_bytes(*word)));
    fold(fold(state ^ u64::from_le_bytes(last)) ^ ODD)
}

#[cfg(test)]
mod tests;
