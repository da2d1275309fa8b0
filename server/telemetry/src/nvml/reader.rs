//! The GPUs while the driver is open: what each one can tell is remembered, and one that is lost holds up no other.

use super::driver::{Beat, Meaning, failing, meaning, words};
use super::probe::{GPM_WORDS, PROBES, Pace, Probe, Values, performance};
use super::{NvmlConfig, SLOW, now_ms};
use crate::source::Batch;
use model::event::Happening;
use model::metric::Metric;
use model::reading::{Labels, SeriesKey, label};
use model::source::SourceState;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::gpm::GpmSample;
use nvml_wrapper::{Device, Nvml};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// GPUs at the most that one host is believed to have.
pub(super) const GPUS: u32 = 256;
/// How long until what is not supported is asked for again, and until the driver is opened anew for a lost GPU's sake.
const ASK_AGAIN: Duration = Duration::from_mins(10);

/// What GPUs were seen since the source began, whatever became of the driver in between.
#[derive(Debug, Default)]
pub(super) struct Known(Vec<Seen>);

#[derive(Debug)]
struct Seen {
    id: String,
    index: u32,
    lost: bool,
}

impl Known {
    /// Notes that a GPU answers. Whether it was lost before.
    fn found(&mut self, id: &str, index: u32) -> bool {
        std::mem::replace(&mut self.seen(id, index).lost, false)
    }
    /// Notes that a GPU is lost. Whether that is news.
    fn lost(&mut self, id: &str, index: u32) -> bool {
        !std::mem::replace(&mut self.seen(id, index).lost, true)
    }
    fn seen(&mut self, id: &str, index: u32) -> &mut Seen {
        let at = self.0.iter().position(|seen| seen.id == id).unwrap_or_else(|| {
            self.0.push(Seen { id: id.to_owned(), index, lost: false });
            self.0.len() - 1
        });
        self.0[at].index = index;
        &mut self.0[at]
    }
    /// The id of a GPU that can't be asked for it: the one that was there, or its index.
    fn id_at(&self, index: u32) -> String {
        self.0.iter().find(|seen| seen.index == index).map_or_else(|| index.to_string(), |seen| seen.id.clone())
    }
}

/// The last XID of each GPU.
pub(super) type LastXids = Arc<Mutex<BTreeMap<String, u32>>>;

/// The GPUs of an open driver.
pub(super) struct Gpus<'n> {
    nvml: &'n Nvml,
    list: Vec<Gpu<'n>>,
    labels: Labels,
    turn: u32,
    xids: LastXids,
    lost_since: Option<Instant>,
}

/// What one sample brought.
#[derive(Debug, Default)]
pub(super) struct Sample {
    pub(super) batch: Batch,
    /// The GPU, what happened, and in words.
    pub(super) events: Vec<(String, Happening, String)>,
    pub(super) faults: Vec<String>,
    pub(super) over: Option<Over>,
}

/// The driver must be opened anew; how the source is until then, where it is not well.
#[derive(Debug, Clone)]
pub(super) struct Over {
    pub(super) state: Option<SourceState>,
}

struct Gpu<'n> {
    index: u32,
    /// Its UUID, or its index where it has not said.
    id: String,
    /// None where it can't be had.
    device: Option<Device<'n>>,
    labels: Labels,
    keys: BTreeMap<(Metric, Option<u32>), Arc<SeriesKey>>,
    /// One for each probe, and the last for performance samples.
    asked: Vec<Asked>,
    performance: Option<GpmSample<'n>>,
    refused: String,
}

/// What asking came to.
#[derive(Debug, Clone, PartialEq)]
enum Asked {
    Fine,
    NotBefore(Instant),
    Faulty(String),
}

impl<'n> Gpus<'n> {
    /// Finds the GPUs, and what has happened to them since they were last found.
    pub(super) fn open(nvml: &'n Nvml, config: &NvmlConfig, known: &mut Known) -> Result<(Self, Sample), SourceState> {
        let bad = |error: &NvmlError| failing(&words(error), "look at `nvidia-smi` and the kernel's log");
        let count = nvml.device_count().map_err(|error| bad(&error))?;
        if count == 0 {
            return Err(SourceState::Absent { why: "the driver is there, and no GPU that it can use".into() });
        }
        let host = config.host_name();
        let place = [(label::RACK, &config.rack), (label::HALL, &config.hall)];
        let place = place.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
        let labels = Labels::of(place.chain([(label::HOST, host)]));
        let list = (0..count.min(GPUS)).map(|index| Gpu::new(index, known)).collect();
        let mut gpus = Self { nvml, list, labels, turn: 0, xids: Arc::default(), lost_since: None };
        let mut sample = Sample::default();
        for gpu in &mut gpus.list {
            gpu.find(nvml, &gpus.labels, known, &mut sample);
        }
        for seen in known.0.iter_mut().filter(|seen| !seen.lost && gpus.list.iter().all(|gpu| gpu.id != seen.id)) {
            seen.lost = true;
            let message = format!("GPU {} is not among those that the driver lists any more", seen.index);
            sample.events.push((seen.id.clone(), Happening::GpuLost, message));
        }
        Ok((gpus, sample))
    }

    /// Where the last XID of each GPU is to be written.
    pub(super) fn last_xids(&self) -> LastXids {
        self.xids.clone()
    }

    /// Reads them all once.
    pub(super) fn sample(&mut self, beat: &Beat, known: &mut Known) -> Sample {
        let mut sample = Sample { batch: Batch { at_ms: now_ms(), ..Batch::default() }, ..Sample::default() };
        for gpu in &mut self.list {
            // Slow calls of the GPUs are spread over the turns, but for the first, which asks for everything.
            let slow = self.turn == 0 || self.turn.wrapping_add(gpu.index).is_multiple_of(SLOW);
            let pace = if slow { Pace::Slow } else { Pace::Each };
            if gpu.device.is_some() {
                gpu.read(pace, beat, known, &mut sample);
            } else if slow && self.turn > 0 && beat.during(|| gpu.find(self.nvml, &self.labels, known, &mut sample)) {
                // Its events have to be waited for anew.
                sample.over = Some(Over { state: None });
            }
            let xid = self.xids.lock().unwrap_or_else(PoisonError::into_inner).get(&gpu.id).copied();
            if let Some(xid) = xid.filter(|_| gpu.device.is_some()) {
                gpu.put(&vec![(Metric::GpuLastXid, None, f64::from(xid))], &mut sample);
            }
        }
        self.look_after(beat, &mut sample);
        self.turn = self.turn.wrapping_add(1);
        sample
    }

    /// Whether the driver lists other GPUs now, or one has been lost for long.
    fn look_after(&mut self, beat: &Beat, sample: &mut Sample) {
        let lost = self.list.iter().any(|gpu| gpu.device.is_none());
        self.lost_since = if lost { self.lost_since.or_else(|| Some(Instant::now())) } else { None };
        let long = self.lost_since.is_some_and(|since| since.elapsed() >= ASK_AGAIN);
        let other = self.turn % SLOW == SLOW - 1
            && beat.during(|| self.nvml.device_count()).is_ok_and(|count| count.min(GPUS) as usize != self.list.len());
        if long || other {
            sample.over.get_or_insert(Over { state: None });
        }
    }
}

impl<'n> Gpu<'n> {
    fn new(index: u32, known: &Known) -> Self {
        Self {
            index,
            id: known.id_at(index),
            device: None,
            labels: Labels::default(),
            keys: BTreeMap::new(),
            asked: vec![Asked::Fine; PROBES.len() + 1],
            performance: None,
            refused: String::new(),
        }
    }

    /// Gets hold of the GPU. Whether it is back.
    fn find(&mut self, nvml: &'n Nvml, labels: &Labels, known: &mut Known, sample: &mut Sample) -> bool {
        let found = nvml.device_by_index(self.index).and_then(|gpu| Ok((gpu.uuid()?, gpu.name()?, gpu)));
        match found {
            Ok((uuid, name, device)) => {
                let own = [(label::GPU, self.index.to_string()), (label::UUID, uuid.clone()), (label::MODEL, name)];
                let common = labels.iter().map(|(name, value)| (name, value.to_owned()));
                self.labels = Labels::of(common.chain(own));
                (self.id, self.device) = (uuid, Some(device));
                self.keys.clear();
                let back = known.found(&self.id, self.index);
                if back {
                    let message = format!("GPU {} answers again", self.index);
                    sample.events.push((self.id.clone(), Happening::GpuBack, message));
                }
                back
            }
            Err(error) if meaning(&error) == Meaning::Lost => {
                self.lose(&error, known, sample);
                false
            }
            Err(error) => {
                let text = words(&error);
                if self.refused != text {
                    sample.faults.push(format!("GPU {}: {text}", self.index));
                    self.refused = text;
                }
                false
            }
        }
    }

    fn lose(&mut self, error: &NvmlError, known: &mut Known, sample: &mut Sample) {
        (self.device, self.performance) = (None, None);
        if known.lost(&self.id, self.index) {
            let message = format!("GPU {}: {}", self.index, words(error));
            sample.events.push((self.id.clone(), Happening::GpuLost, message));
        }
    }

    /// Makes the calls that are due.
    fn read(&mut self, pace: Pace, beat: &Beat, known: &mut Known, sample: &mut Sample) {
        let Some(device) = self.device.take() else { return };
        let (mut values, mut faults, mut end) = (Values::new(), Vec::new(), None);
        // Performance samples first: what tells the same in another way is left out where they are had.
        for index in std::iter::once(PROBES.len()).chain(0..PROBES.len()) {
            if !self.due(index, pace) {
                continue;
            }
            let probe = PROBES.get(index);
            let answer = beat.during(|| match probe {
                Some(probe) => probe.read(&device, &mut values),
                None => performance(&device, &mut self.performance, &mut values),
            });
            end = match answer {
                Ok(()) => {
                    self.asked[index] = Asked::Fine;
                    None
                }
                Err(error) => self.heed(index, error, &mut faults),
            };
            if end.is_some() {
                break;
            }
        }
        if !faults.is_empty() {
            sample.faults.push(format!("GPU {}: {}", self.index, faults.join("; ")));
        }
        self.put(&values, sample);
        match end {
            None => self.device = Some(device),
            Some(error) if meaning(&error) == Meaning::Lost => self.lose(&error, known, sample),
            Some(error) => {
                let state = failing(&words(&error), "load the driver again; until then it is tried every few seconds");
                sample.over = Some(Over { state: Some(state) });
            }
        }
    }

    /// Whether a call is to be made now.
    fn due(&self, index: usize, pace: Pace) -> bool {
        let silent = |asked: &Asked| matches!(asked, Asked::NotBefore(then) if Instant::now() < *then);
        let paced = match PROBES.get(index).map(|probe| probe.0) {
            None | Some(Pace::Each) => true,
            Some(Pace::Slow) => pace == Pace::Slow,
            Some(Pace::SlowWithoutGpm) => pace == Pace::Slow && self.asked.last().is_some_and(silent),
        };
        paced && !self.asked.get(index).is_some_and(silent)
    }

    /// Takes note of a call that failed; hands the error back where it ends the reading of this GPU.
    fn heed(&mut self, index: usize, error: NvmlError, faults: &mut Vec<String>) -> Option<NvmlError> {
        match meaning(&error) {
            Meaning::Unsupported => self.asked[index] = Asked::NotBefore(Instant::now() + ASK_AGAIN),
            Meaning::Nothing => {}
            Meaning::Lost | Meaning::Anew => return Some(error),
            Meaning::Fault => {
                let now = Asked::Faulty(words(&error));
                if self.asked[index] != now {
                    let what = PROBES.get(index).map_or(GPM_WORDS, Probe::words);
                    faults.push(format!("{}: {}", what.to_lowercase(), words(&error)));
                    self.asked[index] = now;
                }
            }
        }
        None
    }

    /// Adds values to the sample, under this GPU's keys.
    fn put(&mut self, values: &Values, sample: &mut Sample) {
        let now = now_ms();
        let at = (now != sample.batch.at_ms).then_some(now);
        for (metric, mig, value) in values.iter().filter(|(.., value)| value.is_finite()) {
            let labels = &self.labels;
            let key = self.keys.entry((*metric, *mig)).or_insert_with(|| {
                let labels = mig.map_or_else(|| labels.clone(), |mig| labels.with(label::MIG, &mig.to_string()));
                Arc::new(SeriesKey { name: metric.name().to_owned(), labels })
            });
            sample.batch.readings.push((key.clone(), at, *value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_is_lost_once_and_back_once() {
        let mut known = Known::default();
        assert!(!known.found("a", 0), "a GPU that is there from the start is no news");
        assert!(known.lost("a", 0));
        assert!(!known.lost("a", 0));
        assert_eq!(known.id_at(0), "a");
        assert!(known.found("a", 0));
        assert!(known.lost("1", 1), "a GPU that is lost from the start is news");
        assert_eq!((known.id_at(1), known.id_at(2)), ("1".to_owned(), "2".to_owned()));
    }
}
