//! Opening the driver's library, what its errors mean, and the watch over calls that do not come back.

use super::{NvmlConfig, now_ms};
use model::source::SourceState;
use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Where the library is looked for: by its name, then where WSL, NixOS and the GPU operator keep it.
#[cfg(not(windows))]
const NAMES: &[&str] = &[
    "libnvidia-ml.so.1",
    "libnvidia-ml.so",
    "/usr/lib/wsl/lib/libnvidia-ml.so.1",
    "/run/opengl-driver/lib/libnvidia-ml.so.1",
    "/run/nvidia/driver/usr/lib64/libnvidia-ml.so.1",
];
#[cfg(windows)]
const NAMES: &[&str] = &["nvml.dll"];

/// The names that the library may have.
pub(super) fn names(config: &NvmlConfig) -> Vec<PathBuf> {
    config.library.as_ref().map_or_else(|| NAMES.iter().map(PathBuf::from).collect(), |path| vec![path.clone()])
}

/// Opens the driver, or says how the source is without it.
pub(super) fn open(config: &NvmlConfig) -> Result<Nvml, SourceState> {
    let names = names(config);
    for name in &names {
        match Nvml::builder().lib_path(name.as_os_str()).init() {
            Ok(nvml) => return Ok(nvml),
            Err(NvmlError::LibloadingError(error)) if missing(name, &error) => {}
            Err(error) => return Err(failing(&format!("{}: {}", name.display(), words(&error)), mend(&error))),
        }
    }
    let name = names.first().map(|name| name.display().to_string()).unwrap_or_default();
    Err(SourceState::Absent { why: format!("no NVIDIA driver on this host: {name} is not there") })
}

/// What an error means for what is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// This GPU, or this driver, does not have it.
    Unsupported,
    /// There is no value now.
    Nothing,
    /// The GPU does not answer any more.
    Lost,
    /// The driver must be opened anew.
    Anew,
    /// Something is wrong.
    Fault,
}

/// NVML's numbers that the binding has no name for.
const ARGUMENT_VERSION_MISMATCH: u32 = 25;
const DEPRECATED: u32 = 26;
const NOT_READY: u32 = 27;
const GPU_NOT_FOUND: u32 = 28;

/// What an error means.
pub(super) fn meaning(error: &NvmlError) -> Meaning {
    use NvmlError as E;
    let is = |any: bool, meaning| any.then_some(meaning);
    is(
        matches!(
            error,
            E::NotSupported
                | E::FailedToLoadSymbol(_)
                | E::FunctionNotFound
                | E::UnexpectedVariant(ARGUMENT_VERSION_MISMATCH | DEPRECATED)
        ),
        Meaning::Unsupported,
    )
    .or(is(matches!(error, E::NoData | E::NotFound | E::Timeout | E::UnexpectedVariant(NOT_READY)), Meaning::Nothing))
    .or(is(matches!(error, E::GpuLost | E::ResetRequired | E::UnexpectedVariant(GPU_NOT_FOUND)), Meaning::Lost))
    .or(is(matches!(error, E::Uninitialized | E::DriverNotLoaded), Meaning::Anew))
    .unwrap_or(Meaning::Fault)
}

/// An error in words, without the binding's own way of speaking where it has one.
pub(super) fn words(error: &NvmlError) -> String {
    if let NvmlError::UnexpectedVariant(code) = error {
        return format!("the driver answers with error {code}, of which nothing is known");
    }
    if let NvmlError::LibloadingError(error) = error {
        return format!("the library can't be loaded: {error}");
    }
    error.to_string()
}

/// What to do about a driver that can't be opened.
fn mend(error: &NvmlError) -> &'static str {
    use NvmlError as E;
    if matches!(error, E::DriverNotLoaded) {
        "load the kernel's driver: `modprobe nvidia`; in a container, give it the GPUs"
    } else if matches!(error, E::LibRmVersionMismatch) {
        "restart the host, so that the driver and its library are of one version again"
    } else if matches!(error, E::NoPermission | E::OperatingSystem) {
        "give this user access to /dev/nvidiactl and /dev/nvidia*"
    } else if matches!(error, E::LibloadingError(_) | E::FailedToLoadSymbol(_)) {
        "point `library` at the driver's libnvidia-ml.so.1, of this host's architecture"
    } else if matches!(error, E::GpuLost | E::ResetRequired | E::IrqIssue | E::InsufficientPower) {
        "look at `nvidia-smi` and the kernel's log, and reset the GPU or restart the host"
    } else {
        "look at `nvidia-smi` and the kernel's log"
    }
}

/// Whether the library is not there, rather than not fit to be loaded.
fn missing(name: &Path, error: &impl std::fmt::Display) -> bool {
    if name.components().count() > 1 || cfg!(windows) {
        return !name.exists();
    }
    let text = error.to_string();
    text.contains("No such file") || text.contains("cannot open shared object file: No such")
}

/// A state of failing, from now.
pub(super) fn failing(why: &str, mend: &str) -> SourceState {
    SourceState::Failing { since_ms: now_ms(), why: why.to_owned(), mend: mend.to_owned() }
}

/// The state of a driver that does not come back from a call.
pub(super) fn hung(since_ms: i64) -> SourceState {
    let day_s = since_ms.div_euclid(1000).rem_euclid(86_400);
    let (hour, minute, second) = (day_s / 3600, day_s / 60 % 60, day_s % 60);
    SourceState::Failing {
        since_ms,
        why: format!("the driver does not answer since {hour:02}:{minute:02}:{second:02} UTC"),
        mend: "look at the kernel's log for an XID; a driver that stays so needs the host to be restarted".into(),
    }
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// When the call under way began; 0 where none is. By a clock that nobody sets.
#[derive(Debug, Default)]
pub(super) struct Beat(AtomicU64);

impl Beat {
    /// Makes calls under the watch.
    pub(super) fn during<T>(&self, calls: impl FnOnce() -> T) -> T {
        self.0.store((START.elapsed().as_millis() as u64).max(1), Ordering::Relaxed);
        let answer = calls();
        self.0.store(0, Ordering::Relaxed);
        answer
    }
    /// Since when a call does not come back, where that is longer than `patience`.
    pub(super) fn stuck(&self, patience: Duration) -> Option<i64> {
        let began = Some(self.0.load(Ordering::Relaxed)).filter(|began| *began != 0)?;
        let took = START.elapsed().saturating_sub(Duration::from_millis(began));
        (took > patience).then(|| now_ms() - took.as_millis() as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_not_there_is_absent_and_one_that_is_none_fails() {
        let at = |path: &str| NvmlConfig { library: Some(path.into()), ..NvmlConfig::default() };
        let absent = open(&at("/nowhere/libnvidia-ml.so.1")).unwrap_err();
        assert!(matches!(&absent, SourceState::Absent { why } if why.contains("/nowhere/")), "{absent:?}");
        let absent = open(&at("libnot-there-at-all.so.1")).unwrap_err();
        assert!(matches!(absent, SourceState::Absent { .. }), "{absent:?}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("libnvidia-ml.so.1");
        std::fs::write(&path, "not a library").unwrap();
        let failing = open(&at(path.to_str().unwrap())).unwrap_err();
        assert!(matches!(&failing, SourceState::Failing { mend, .. } if mend.contains("library")), "{failing:?}");
    }

    #[test]
    fn a_call_that_does_not_come_back_is_seen() {
        let beat = Beat::default();
        assert_eq!(beat.stuck(Duration::ZERO), None);
        beat.during(|| {
            std::thread::sleep(Duration::from_millis(30));
            assert!(beat.stuck(Duration::from_millis(20)).is_some_and(|since| now_ms() - since >= 20));
            assert_eq!(beat.stuck(Duration::from_mins(1)), None);
        });
        assert_eq!(beat.stuck(Duration::ZERO), None);
    }

    #[test]
    fn a_hang_is_told_with_the_time_of_day() {
        let SourceState::Failing { why, .. } = hung(1_700_000_000_000) else { unreachable!() };
        assert_eq!(why, "the driver does not answer since 22:13:20 UTC");
    }
}
