//! The driver's own events: XIDs, waited for on a thread of their own, since the driver keeps whoever asks waiting.

use super::reader::LastXids;
use super::{Post, put_event};
use crate::source::Brought;
use model::event::Happening;
use nvml_wrapper::bitmasks::event::EventTypes;
use nvml_wrapper::enums::event::XidError;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::event::EventSet;
use nvml_wrapper::struct_wrappers::event::EventData;
use nvml_wrapper::{Device, Nvml};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How long the driver is left waiting at a time, and so how long the thread takes to end.
const WAIT_MS: u32 = 500;
/// A double-bit error is told as an event of its own and as XID 48: within this time, both are one.
const SAME: Duration = Duration::from_secs(5);
/// What the driver says of an XID that it can't name.
const UNKNOWN_XID: u32 = 999;
const DOUBLE_BIT_XID: u32 = 48;

/// The thread, told to end when this is dropped.
pub(super) struct Waiting(Arc<AtomicBool>);

impl Waiting {
    pub(super) fn start(nvml: &Arc<Nvml>, post: &Post, xids: LastXids) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let thread = Thread {
            over: over.clone(),
            quit: post.quit.clone(),
            queue: post.queue.clone(),
            source: post.source.clone(),
            host: post.host.clone(),
            xids,
        };
        let nvml = nvml.clone();
        if let Err(error) = thread::Builder::new().name("nvml-events".into()).spawn(move || thread.run(&nvml)) {
            tracing::warn!(error = %error, "No thread could be started for the GPUs' events.");
        }
        Self(over)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Thread {
    over: Arc<AtomicBool>,
    quit: Arc<AtomicBool>,
    queue: mpsc::Sender<Brought>,
    source: String,
    host: String,
    xids: LastXids,
}

/// A GPU whose events are waited for.
struct Watched {
    handle: String,
    uuid: String,
    index: u32,
    double_bit: Option<Instant>,
}

impl Thread {
    fn run(self, nvml: &Nvml) {
        let (set, mut watched, faults) = register(nvml);
        for fault in faults {
            if self.queue.blocking_send(Brought::Fault(fault)).is_err() {
                return;
            }
        }
        let Some(set) = set else { return };
        while !self.ended() {
            match set.wait(WAIT_MS) {
                Ok(event) if !self.ended() => {
                    if !self.tell(&event, &mut watched) {
                        return;
                    }
                }
                Ok(_) | Err(NvmlError::Timeout) => {}
                Err(NvmlError::Uninitialized | NvmlError::DriverNotLoaded) => return,
                // A GPU that fell off the bus, or a driver in trouble: the reader tells it. Here it must only not spin.
                Err(_) => thread::sleep(Duration::from_millis(u64::from(WAIT_MS))),
            }
        }
    }

    fn ended(&self) -> bool {
        self.over.load(Ordering::Relaxed) || self.quit.load(Ordering::Relaxed) || self.queue.is_closed()
    }

    /// Tells an event; `false` where nobody listens any more.
    fn tell(&self, event: &EventData<'_>, watched: &mut [Watched]) -> bool {
        let handle = name(&event.device);
        let found = watched.iter_mut().find(|gpu| gpu.handle == handle);
        let (gpu, words) = match &found {
            Some(gpu) => (gpu.uuid.clone(), format!("GPU {}", gpu.index)),
            None => (event.device.uuid().unwrap_or_default(), "a GPU that was not asked".into()),
        };
        let (code, detail) = match &event.event_data {
            Some(XidError::Value(code)) => (u32::try_from(*code).unwrap_or(UNKNOWN_XID), None),
            Some(XidError::Unknown) => (UNKNOWN_XID, None),
            None if event.event_type.contains(EventTypes::DOUBLE_BIT_ECC_ERROR) => {
                (DOUBLE_BIT_XID, Some("double-bit ECC error".to_owned()))
            }
            None => return true,
        };
        if code == DOUBLE_BIT_XID
            && let Some(gpu) = found
            && gpu.double_bit.replace(Instant::now()).is_some_and(|before| before.elapsed() < SAME)
        {
            return true;
        }
        self.xids.lock().unwrap_or_else(PoisonError::into_inner).insert(gpu.clone(), code);
        let message = match &detail {
            None => format!("the driver reports XID {code} on {words}"),
            Some(detail) => format!("the driver reports a {detail} on {words}"),
        };
        put_event(&self.queue, &self.source, &self.host, (gpu, Happening::Xid { code, detail }, message))
    }
}

/// A set of events of every GPU that has them. Corrected errors are not among them: their counter is read anyway.
fn register(nvml: &Nvml) -> (Option<EventSet<'_>>, Vec<Watched>, Vec<String>) {
    let wanted = EventTypes::CRITICAL_XID_ERROR | EventTypes::DOUBLE_BIT_ECC_ERROR;
    let count = nvml.device_count().unwrap_or(0).min(super::reader::GPUS);
    let mut refused = BTreeSet::new();
    let mut why = None;
    // A GPU that refuses takes the set with it, so that it is made anew without that GPU.
    'anew: loop {
        let mut watched = Vec::new();
        let mut set = match nvml.create_event_set() {
            Ok(set) => set,
            Err(error) => return (None, watched, vec![format!("the driver tells no XIDs: {error}")]),
        };
        for index in (0..count).filter(|index| !refused.contains(index)).collect::<Vec<_>>() {
            let asked = nvml
                .device_by_index(index)
                .and_then(|gpu| Ok((gpu.supported_event_types()? & wanted, gpu.uuid()?, gpu)));
            let (kinds, uuid, gpu) = match asked {
                Ok((kinds, uuid, gpu)) if kinds.contains(EventTypes::CRITICAL_XID_ERROR) => (kinds, uuid, gpu),
                Ok(_) => {
                    refused.insert(index);
                    continue;
                }
                Err(error) => {
                    why = Some(error.to_string());
                    refused.insert(index);
                    continue;
                }
            };
            match gpu.register_events(kinds, set) {
                Ok(same) => set = same,
                Err(error) => {
                    why = Some(error.error.to_string());
                    refused.insert(index);
                    continue 'anew;
                }
            }
            watched.push(Watched { handle: name(&gpu), uuid, index, double_bit: None });
        }
        let gpus: Vec<String> = refused.iter().map(u32::to_string).collect();
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        let fault = format!("the driver tells no XIDs of GPU {}{why}: the kernel's log has them", gpus.join(", "));
        let faults = if gpus.is_empty() { Vec::new() } else { vec![fault] };
        return if watched.is_empty() { (None, watched, faults) } else { (Some(set), watched, faults) };
    }
}

/// A name of the driver's handle. A GPU off the bus answers no question any more, not even for its id; the handle is
/// what the event still has of it, and only this way of reading it is a safe one.
fn name(gpu: &Device<'_>) -> String {
    format!("{gpu:?}")
}
