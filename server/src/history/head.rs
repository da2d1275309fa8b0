//! The last minutes of every series, in memory: readings in the order of their times, until they are sealed into a chunk.
//!
//! Never: waits, or touches the disk. `local` writes what this hands out.

use super::Appended;
use model::reading::{Labels, Sample, SeriesKey};
use std::collections::HashMap;
use std::sync::Arc;
use store::history::{CHUNK_MS_MAX, Seal};

/// Readings of a series at which it is sealed.
const SEAL_COUNT: usize = 150;
/// Series that are sealed in one go at most; the others wait for the next, and memory holds one copy of these alone.
const SEALS_AT_ONCE: usize = 10_000;
/// How old the first unsealed reading of a series may become, by the times of its readings.
const SEAL_AGE_MS: i64 = 900_000;
/// Parts of that count and that age after which series are sealed for the first time, each at another, an eighth of it at least:
/// series that began together would otherwise fill memory, and go to the disk, together for ever.
const PHASES: u32 = 64;
/// Room for readings is made for so many at once: doubled each time, it would on average be half empty.
const ROOM: usize = 32;
/// Readings from further ahead than this come from a wrong clock.
const FUTURE_MS_MAX: i64 = 600_000;
/// Readings that wait for the disk at most: some minutes of a large fleet, 120 MB.
const WAITING_MAX: usize = 5_000_000;
/// Series that are known at most.
pub const SERIES_MAX: usize = 2_000_000;

/// Every series, by number and by name, with its unsealed readings.
#[derive(Debug, Default)]
pub struct Heads {
    keys: Vec<Arc<SeriesKey>>,
    open: Vec<Head>,
    ids: HashMap<Arc<SeriesKey>, u32>,
    names: HashMap<String, Vec<u32>>,
    /// Shared keys that were met, by where they lie in memory: each is held here, so the place stays theirs.
    met: HashMap<usize, (Arc<SeriesKey>, u32)>,
    /// Series that the disk does not know yet.
    unwritten: Vec<u32>,
    /// Readings that the disk does not have yet.
    waiting: Vec<(u32, Sample)>,
    /// The number that the next part of the tail gets.
    next_seq: i64,
    /// The series that is looked at first when what is to be sealed is looked for.
    look_from: usize,
}

/// One series.
#[derive(Debug, Default)]
struct Head {
    /// Time of the last reading in a chunk.
    sealed_ms: Option<i64>,
    samples: Vec<Sample>,
    /// The part of the tail that has the first of them.
    first_seq: i64,
    /// How many of them are being sealed.
    sealing: usize,
    /// The part of the tail that has the first of the others.
    rest_seq: i64,
}

/// What is to be written next.
#[derive(Debug, Default)]
pub struct Due {
    /// Series not seen before.
    pub series: Vec<(u32, SeriesKey)>,
    /// Readings for the tail, and its number.
    pub tail: Option<(i64, Vec<(u32, Sample)>)>,
    /// What becomes chunks.
    pub seals: Vec<Seal>,
}

impl Heads {
    /// What the disk has: series, and the tail, oldest first.
    pub fn restored(series: Vec<store::history::StoredSeries>, tail: Vec<(i64, Vec<(u32, Sample)>)>) -> Self {
        let mut heads = Self { next_seq: 1, ..Self::default() };
        for known in series {
            // Numbers are given in order and never taken back, so a gap means that a write was lost: it stays empty.
            while heads.keys.len() < known.id as usize {
                let at = heads.keys.len();
                heads.keys.push(Arc::new(SeriesKey { name: format!("lost_{at}"), labels: Labels::default() }));
                heads.open.push(Head::default());
            }
            heads.push(Arc::new(known.key), Head { sealed_ms: known.sealed_ms, ..Head::default() });
        }
        for (seq, readings) in tail {
            heads.next_seq = seq + 1;
            for (id, sample) in readings {
                if let Some(head) = heads.open.get_mut(id as usize) {
                    head.take(sample, seq);
                }
            }
        }
        heads
    }

    fn push(&mut self, key: Arc<SeriesKey>, head: Head) -> u32 {
        let id = self.keys.len() as u32;
        self.names.entry(key.name.clone()).or_default().push(id);
        self.ids.insert(Arc::clone(&key), id);
        self.keys.push(key);
        self.open.push(head);
        id
    }

    /// The number of a series, given it now where it has none; none where there are too many series.
    fn id(&mut self, key: &Arc<SeriesKey>) -> Option<u32> {
        let place = Arc::as_ptr(key) as usize;
        if let Some((_, id)) = self.met.get(&place) {
            return Some(*id);
        }
        let id = match self.ids.get(key) {
            Some(id) => *id,
            None if self.keys.len() >= SERIES_MAX => return None,
            None => {
                let id = self.push(Arc::clone(key), Head::default());
                self.unwritten.push(id);
                id
            }
        };
        if self.met.len() > 4 * self.keys.len() + 1_000 {
            self.met.clear();
        }
        self.met.insert(place, (Arc::clone(key), id));
        Some(id)
    }

    /// Takes readings.
    pub fn append(&mut self, readings: &[(Arc<SeriesKey>, Sample)], now_ms: i64) -> Appended {
        let mut done = Appended::default();
        for (key, sample) in readings {
            if !sample.value.is_finite() || sample.at_ms > now_ms + FUTURE_MS_MAX || sample.at_ms < 0 {
                done.unfit += 1;
                continue;
            }
            let id = if self.waiting.len() < WAITING_MAX { self.id(key) } else { None };
            let Some(id) = id else {
                done.refused += 1;
                continue;
            };
            match self.open[id as usize].take(*sample, self.next_seq) {
                Taken::Kept => {
                    done.kept += 1;
                    self.waiting.push((id, *sample));
                }
                Taken::Repeated => done.repeated += 1,
                Taken::Late => done.late += 1,
            }
        }
        done
    }

    /// What is to be written now. It stays readable here until [`Heads::written`] says that the disk has it.
    pub fn due(&mut self, now_ms: i64) -> Due {
        let series = std::mem::take(&mut self.unwritten);
        let series = series.into_iter().map(|id| (id, SeriesKey::clone(&self.keys[id as usize]))).collect();
        let tail = (!self.waiting.is_empty()).then(|| (self.next_seq, std::mem::take(&mut self.waiting)));
        self.next_seq += i64::from(tail.is_some());
        Due { series, tail, seals: self.ripe(now_ms) }
    }

    /// What is to be sealed. Whoever was left out is looked at first the next time.
    fn ripe(&mut self, now_ms: i64) -> Vec<Seal> {
        let (mut seals, all) = (Vec::new(), self.open.len());
        for step in 0..all {
            let at = (self.look_from + step) % all;
            let phase = if self.open[at].sealed_ms.is_some() { PHASES } else { (at as u32 % PHASES).max(PHASES / 8) };
            let age_max_ms = SEAL_AGE_MS * i64::from(phase) / i64::from(PHASES);
            let ripe = Ripe { now_ms, age_max_ms, count: SEAL_COUNT * phase as usize / PHASES as usize };
            if let Some(samples) = self.open[at].ripe(&ripe, self.next_seq) {
                seals.push(Seal { series: at as u32, samples });
                if seals.len() == SEALS_AT_ONCE {
                    self.look_from = (at + 1) % all;
                    break;
                }
            }
        }
        seals
    }

    /// The disk has it: what was sealed is let go.
    pub fn written(&mut self, seals: &[Seal]) {
        for seal in seals {
            self.open[seal.series as usize].sealed();
        }
    }

    /// The least number of a part of the tail that has a reading in no chunk.
    pub fn tail_needed_from(&self) -> i64 {
        let open = self.open.iter().filter(|head| !head.samples.is_empty());
        open.map(|head| head.first_seq).min().unwrap_or(self.next_seq)
    }

    /// The number of a series.
    pub fn known(&self, key: &SeriesKey) -> Option<u32> {
        self.ids.get(key).copied()
    }
    /// Unsealed readings of a series.
    pub fn open(&self, id: u32) -> &[Sample] {
        &self.open[id as usize].samples
    }
    /// Series of a name.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Arc<SeriesKey>> {
        self.names.get(name).into_iter().flatten().map(|id| &self.keys[*id as usize])
    }
    /// How many series there are, and how many readings wait for the disk.
    pub fn counts(&self) -> (u32, u32) {
        (self.keys.len() as u32, self.waiting.len() as u32)
    }
}

/// When a series is sealed.
struct Ripe {
    now_ms: i64,
    age_max_ms: i64,
    count: usize,
}

enum Taken {
    Kept,
    Repeated,
    Late,
}

impl Head {
    fn take(&mut self, sample: Sample, seq: i64) -> Taken {
        if self.sealed_ms.is_some_and(|sealed_ms| sample.at_ms <= sealed_ms) {
            return if self.sealed_ms == Some(sample.at_ms) { Taken::Repeated } else { Taken::Late };
        }
        if self.samples.is_empty() {
            self.first_seq = seq;
        }
        let last_ms = self.samples.last().map(|last| last.at_ms);
        if self.samples.len() == self.samples.capacity() {
            self.samples.reserve_exact(ROOM);
        }
        if last_ms.is_none_or(|last_ms| last_ms < sample.at_ms) {
            self.samples.push(sample);
            return Taken::Kept;
        }
        // What is being sealed must not change under the disk's hands.
        match self.samples.binary_search_by_key(&sample.at_ms, |known| known.at_ms) {
            Ok(_) => Taken::Repeated,
            Err(at) if at < self.sealing => Taken::Late,
            Err(at) => {
                self.samples.insert(at, sample);
                Taken::Kept
            }
        }
    }

    /// The readings that are to be sealed now, if any. Whatever comes from now on stands in the tail from `next_seq` on.
    fn ripe(&mut self, when: &Ripe, next_seq: i64) -> Option<Vec<Sample>> {
        let first_ms = self.samples.first()?.at_ms;
        if self.sealing > 0 || (self.samples.len() < when.count && when.now_ms - first_ms < when.age_max_ms) {
            return None;
        }
        self.sealing = self.samples.partition_point(|sample| sample.at_ms - first_ms < CHUNK_MS_MAX);
        self.rest_seq = if self.sealing == self.samples.len() { next_seq } else { self.first_seq };
        Some(self.samples[..self.sealing].to_vec())
    }

    fn sealed(&mut self) {
        self.sealed_ms = self.samples[..self.sealing].last().map(|last| last.at_ms).or(self.sealed_ms);
        self.samples.drain(..self.sealing);
        self.samples.shrink_to(ROOM);
        (self.sealing, self.first_seq) = (0, self.rest_seq);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(gpu: u32) -> Arc<SeriesKey> {
        Arc::new(SeriesKey { name: "gpu_power_watts".into(), labels: Labels::of([("gpu", gpu.to_string())]) })
    }

    fn at(at_s: i64) -> Sample {
        Sample { at_ms: at_s * 1_000, value: at_s as f64 }
    }

    fn append(heads: &mut Heads, key: &Arc<SeriesKey>, times_s: &[i64]) -> Appended {
        let readings: Vec<_> = times_s.iter().map(|at_s| (Arc::clone(key), at(*at_s))).collect();
        heads.append(&readings, 10_000_000)
    }

    #[test]
    fn readings_out_of_order_find_their_place_and_doubles_are_left_out() {
        let (mut heads, key) = (Heads::restored(vec![], vec![]), key(0));
        let done = append(&mut heads, &key, &[10, 30, 20, 30, 40]);
        assert_eq!((done.kept, done.repeated), (4, 1));
        assert_eq!(heads.open(0), [at(10), at(20), at(30), at(40)]);
    }

    #[test]
    fn no_number_and_no_time_to_come_is_taken() {
        let (mut heads, key) = (Heads::restored(vec![], vec![]), key(0));
        let odd = [(1_000, f64::NAN), (1_000, f64::INFINITY), (-1, 1.0), (1_700_000, 1.0)];
        let readings = odd.map(|(at_ms, value)| (Arc::clone(&key), Sample { at_ms, value }));
        assert_eq!(heads.append(&readings, 1_000_000).unfit, 4);
        assert_eq!(heads.due(0).series.len(), 0, "a series without readings is not kept");
    }

    #[test]
    fn what_is_sealed_stays_until_the_disk_has_it_and_is_not_taken_again() {
        let (mut heads, key) = (Heads::restored(vec![], vec![]), key(0));
        append(&mut heads, &key, &(1..=240).collect::<Vec<_>>());
        let due = heads.due(250_000);
        assert_eq!((due.series.len(), due.tail.as_ref().unwrap().0, due.seals[0].samples.len()), (1, 1, 240));
        append(&mut heads, &key, &[241]);
        assert_eq!(heads.open(0).len(), 241);
        assert!(heads.due(250_000).seals.is_empty(), "it is being sealed");
        heads.written(&due.seals);
        assert_eq!(heads.open(0), [at(241)]);
        assert_eq!(heads.tail_needed_from(), 2);
        let late = append(&mut heads, &key, &[100, 240]);
        assert_eq!((late.late, late.repeated, late.kept), (1, 1, 0));
    }

    #[test]
    fn no_more_is_sealed_in_one_go_than_memory_is_for_and_nobody_is_left_out() {
        let mut heads = Heads::restored(vec![], vec![]);
        let count = SEALS_AT_ONCE + 500;
        for gpu in 0..count as u32 {
            append(&mut heads, &key(gpu), &[10]);
        }
        let mut sealed = std::collections::BTreeSet::new();
        for go in [SEALS_AT_ONCE, 500, 0] {
            let due = heads.due(2_000_000);
            assert_eq!(due.seals.len(), go);
            sealed.extend(due.seals.iter().map(|seal| seal.series));
            heads.written(&due.seals);
        }
        assert_eq!(sealed.len(), count);
    }

    #[test]
    fn series_that_began_together_are_not_sealed_together_for_ever() {
        let mut heads = Heads::restored(vec![], vec![]);
        let keys: Vec<_> = (0..PHASES).map(key).collect();
        let mut most_at_once = 0;
        for at_s in (0..7_200).step_by(10) {
            for key in &keys {
                append(&mut heads, key, &[at_s]);
            }
            let due = heads.due(at_s * 1_000);
            if at_s > SEAL_AGE_MS / 1_000 {
                most_at_once = most_at_once.max(due.seals.len());
            }
            heads.written(&due.seals);
        }
        assert!((1..=PHASES as usize / 4).contains(&most_at_once), "{most_at_once} of {PHASES}");
        let held: usize = (0..PHASES).map(|id| heads.open(id).len()).sum();
        let most = PHASES as usize * SEAL_AGE_MS as usize / 10_000;
        assert!((most / 3..most * 2 / 3).contains(&held), "{held} of {most}");
    }

    #[test]
    fn what_was_restored_goes_on_where_it_stopped() {
        let stored = store::history::StoredSeries { id: 0, key: SeriesKey::clone(&key(0)), sealed_ms: Some(10_000) };
        let tail = vec![(4, vec![(0, at(9)), (0, at(10)), (0, at(11))]), (5, vec![(0, at(12)), (7, at(1))])];
        let mut heads = Heads::restored(vec![stored], tail);
        assert_eq!((heads.open(0), heads.tail_needed_from()), (&[at(11), at(12)][..], 4));
        append(&mut heads, &key(0), &[13]);
        assert_eq!(heads.due(20_000).tail.unwrap().0, 6);
    }
}
