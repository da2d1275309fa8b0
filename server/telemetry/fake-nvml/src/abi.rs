//! The C interface: what `nvml-wrapper` looks for, by name, in the driver's library.
//!
//! Every call goes through [`of_gpu`] or [`of_house`], which let no panic pass and check what they were given. A device
//! is a number in the shape of a pointer, and is never followed.

use crate::play::{Board, EventSet, NOT_SUPPORTED, Play, bits};
use crate::profile::Profile;
use std::ffi::{CStr, c_char, c_int, c_uint, c_ulonglong, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

type Return = c_uint;
type Handle = *mut c_void;

const SUCCESS: Return = 0;
const UNINITIALIZED: Return = 1;
const INVALID_ARGUMENT: Return = 2;
const NOT_FOUND: Return = 6;
const INSUFFICIENT_SIZE: Return = 7;
const TIMEOUT: Return = 10;
const UNKNOWN: Return = 999;

static PLAY: Mutex<Option<Play>> = Mutex::new(None);
static BELL: Condvar = Condvar::new();

/// `nvmlPciInfo_t`.
#[repr(C)]
struct PciInfo {
    bus_id_legacy: [c_char; 16],
    domain: c_uint,
    bus: c_uint,
    device: c_uint,
    pci_device_id: c_uint,
    pci_subsystem_id: c_uint,
    bus_id: [c_char; 32],
}

/// `nvmlMemory_v2_t`.
#[repr(C)]
struct Memory {
    version: c_uint,
    total: c_ulonglong,
    reserved: c_ulonglong,
    free: c_ulonglong,
    used: c_ulonglong,
}

/// `nvmlUtilization_t`.
#[repr(C)]
struct Utilization {
    gpu: c_uint,
    memory: c_uint,
}

/// `nvmlViolationTime_t`.
#[repr(C)]
struct Violation {
    reference_us: c_ulonglong,
    violation_ns: c_ulonglong,
}

/// `nvmlProcessInfo_v2_t`.
#[repr(C)]
struct Process {
    pid: c_uint,
    used: c_ulonglong,
    gpu_instance: c_uint,
    compute_instance: c_uint,
}

/// `nvmlFieldValue_t`; its value is a union, of which the whole 64 bits are written.
#[repr(C)]
struct Field {
    id: c_uint,
    scope: c_uint,
    timestamp_us: i64,
    latency_us: i64,
    kind: c_uint,
    answer: Return,
    value: u64,
}

/// `nvmlEventData_t`.
#[repr(C)]
struct Event {
    device: Handle,
    kind: c_ulonglong,
    data: c_ulonglong,
    gpu_instance: c_uint,
    compute_instance: c_uint,
}

/// `nvmlGpmSupport_t`.
#[repr(C)]
struct GpmSupport {
    version: c_uint,
    supported: c_uint,
}

/// `nvmlGpmMetric_t`.
#[repr(C)]
struct GpmMetric {
    id: c_uint,
    answer: Return,
    value: f64,
    words: [*const c_char; 3],
}

/// The head of `nvmlGpmMetricsGet_t`; its metrics follow.
#[repr(C)]
struct GpmRequest {
    version: c_uint,
    count: c_uint,
    first: Handle,
    second: Handle,
    metrics: [GpmMetric; 0],
}

/// Which GPU, or which MIG instance of it.
#[derive(Clone, Copy)]
struct Which {
    gpu: usize,
    mig: Option<usize>,
}

impl Which {
    fn of(device: Handle, play: &Play) -> Option<Self> {
        let number = device.addr();
        let which = Self { gpu: (number & 0xff).checked_sub(1)?, mig: (number >> 8).checked_sub(1) };
        let there = which.gpu < play.count() && which.mig.is_none_or(|mig| mig < play.profile.mig.len());
        there.then_some(which)
    }
    fn handle(self) -> Handle {
        std::ptr::without_provenance_mut((self.gpu + 1) | self.mig.map_or(0, |mig| (mig + 1) << 8))
    }
}

/// Writes where the caller asked for it.
fn put<T>(to: *mut T, value: T) -> Return {
    if to.is_null() {
        return INVALID_ARGUMENT;
    }
    // SAFETY: not null, and by the C interface's contract a place for one T.
    unsafe { to.write(value) };
    SUCCESS
}

/// Writes a text with its closing zero.
fn put_text(to: *mut c_char, length: c_uint, text: &str) -> Return {
    if to.is_null() {
        return INVALID_ARGUMENT;
    }
    if text.len() >= length as usize {
        return INSUFFICIENT_SIZE;
    }
    // SAFETY: not null, by contract `length` long, and the text with its zero is at most that.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr().cast(), to, text.len());
        to.add(text.len()).write(0);
    }
    SUCCESS
}

/// The first that is not success.
fn all(answers: impl IntoIterator<Item = Return>) -> Return {
    answers.into_iter().find(|answer| *answer != SUCCESS).unwrap_or(SUCCESS)
}

fn play() -> MutexGuard<'static, Option<Play>> {
    PLAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A call: hangs where the profile says so, holding nobody else up, and lets no panic pass.
fn call(named: &str, answer: impl FnOnce(&mut Play) -> Return) -> Return {
    let call = || {
        let hang = play().as_mut().and_then(|play| play.hang_ms(named));
        std::thread::sleep(Duration::from_millis(hang.unwrap_or(0)));
        let mut play = play();
        let Some(play) = play.as_mut().filter(|play| play.open > 0) else { return UNINITIALIZED };
        if play.advance() {
            BELL.notify_all();
        }
        answer(play)
    };
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(UNKNOWN)
}

/// A call that is of no GPU.
fn of_house(named: &str, answer: impl FnOnce(&mut Play) -> Return) -> Return {
    call(named, |play| if play.unsupported(named) { NOT_SUPPORTED } else { answer(play) })
}

/// A call that is of a GPU, or of a MIG instance.
fn of_gpu(named: &str, device: Handle, answer: impl FnOnce(&mut Play, Which) -> Return) -> Return {
    call(named, |play| {
        let Some(which) = Which::of(device, play) else { return INVALID_ARGUMENT };
        if named == "nvmlDeviceGetPowerUsage" && which.gpu == 0 && play.advance_by_reading() {
            BELL.notify_all();
        }
        play.refusal(named, which.gpu).unwrap_or_else(|| answer(play, which))
    })
}

/// Calls of the form `nvmlReturn_t call(nvmlDevice_t, T *value)`.
macro_rules! values {
    ($($(#[$doc:meta])+ $name:ident -> $type:ty = |$play:ident, $which:ident| $value:expr;)+) => {$(
        $(#[$doc])+
        #[unsafe(no_mangle)]
        extern "C" fn $name(device: Handle, value: *mut $type) -> Return {
            of_gpu(stringify!($name), device, |$play, $which| match $value {
                Some(is) => put(value, is),
                None => NOT_SUPPORTED,
            })
        }
    )+};
}

/// Calls of the form `nvmlReturn_t call(nvmlDevice_t, char *text, unsigned length)`.
macro_rules! texts {
    ($($(#[$doc:meta])+ $name:ident = |$play:ident, $which:ident| $text:expr;)+) => {$(
        $(#[$doc])+
        #[unsafe(no_mangle)]
        extern "C" fn $name(device: Handle, text: *mut c_char, length: c_uint) -> Return {
            of_gpu(stringify!($name), device, |$play, $which| put_text(text, length, &$text))
        }
    )+};
}

/// Only of a whole GPU: what a MIG instance does not have.
fn whole<T>(play: &Play, which: Which, value: impl FnOnce(&Board) -> T) -> Option<T> {
    play.board(which.gpu).filter(|_| which.mig.is_none()).map(value)
}

fn milli(value: f64) -> c_uint {
    (value * 1e3).round() as c_uint
}

/// Begins the play at the first call; later ones are counted.
#[unsafe(no_mangle)]
extern "C" fn nvmlInit_v2() -> Return {
    let begin = || {
        let mut play = play();
        if play.is_none() {
            match profile() {
                Ok(profile) => *play = Some(Play::of(profile)),
                Err(why) => {
                    eprintln!("fake-nvml: {why}");
                    return UNKNOWN;
                }
            }
        }
        let Some(play) = play.as_mut() else { return UNKNOWN };
        play.inits += 1;
        if let Some(code) = play.init_refusal() {
            return code;
        }
        play.open += 1;
        SUCCESS
    };
    catch_unwind(begin).unwrap_or(UNKNOWN)
}

/// As `nvmlInit_v2`; the flags mean nothing here.
#[unsafe(no_mangle)]
extern "C" fn nvmlInitWithFlags(_flags: c_uint) -> Return {
    nvmlInit_v2()
}

/// Ends what one `nvmlInit` began; the play goes on.
#[unsafe(no_mangle)]
extern "C" fn nvmlShutdown() -> Return {
    of_house("nvmlShutdown", |play| {
        play.open -= 1;
        SUCCESS
    })
}

/// The driver's version.
#[unsafe(no_mangle)]
extern "C" fn nvmlSystemGetDriverVersion(text: *mut c_char, length: c_uint) -> Return {
    of_house("nvmlSystemGetDriverVersion", |play| put_text(text, length, &play.profile.driver_version))
}

/// NVML's version.
#[unsafe(no_mangle)]
extern "C" fn nvmlSystemGetNVMLVersion(text: *mut c_char, length: c_uint) -> Return {
    of_house("nvmlSystemGetNVMLVersion", |play| put_text(text, length, &play.profile.nvml_version))
}

/// CUDA's version.
#[unsafe(no_mangle)]
extern "C" fn nvmlSystemGetCudaDriverVersion_v2(version: *mut c_int) -> Return {
    of_house("nvmlSystemGetCudaDriverVersion_v2", |play| put(version, play.profile.cuda_version))
}

/// As its second version.
#[unsafe(no_mangle)]
extern "C" fn nvmlSystemGetCudaDriverVersion(version: *mut c_int) -> Return {
    nvmlSystemGetCudaDriverVersion_v2(version)
}

/// How many GPUs there are, lost ones too.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetCount_v2(count: *mut c_uint) -> Return {
    of_house("nvmlDeviceGetCount_v2", |play| put(count, play.count() as c_uint))
}

/// The GPU of that index.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetHandleByIndex_v2(index: c_uint, device: *mut Handle) -> Return {
    let which = Which { gpu: index as usize, mig: None };
    of_gpu("nvmlDeviceGetHandleByIndex_v2", which.handle(), |_, which| put(device, which.handle()))
}

/// The GPU of that id.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetHandleByUUID(uuid: *const c_char, device: *mut Handle) -> Return {
    of_house("nvmlDeviceGetHandleByUUID", |play| {
        if uuid.is_null() {
            return INVALID_ARGUMENT;
        }
        // SAFETY: not null, and by contract a text that ends with a zero.
        let uuid = unsafe { CStr::from_ptr(uuid) }.to_bytes();
        match (0..play.count()).find(|gpu| play.uuid(*gpu).as_bytes() == uuid) {
            Some(gpu) => put(device, Which { gpu, mig: None }.handle()),
            None => NOT_FOUND,
        }
    })
}

texts! {
    /// The GPU's name, and the profile of a MIG instance.
    nvmlDeviceGetName = |play, which| match which.mig {
        None => play.profile.gpu.name.clone(),
        Some(mig) => format!("{} MIG {}", play.profile.gpu.name, play.profile.mig[mig].profile),
    };
    /// Its id.
    nvmlDeviceGetUUID = |play, which| match which.mig {
        None => play.uuid(which.gpu),
        Some(mig) => format!("MIG{}-{mig}", play.uuid(which.gpu).trim_start_matches("GPU")),
    };
    /// Its serial number.
    nvmlDeviceGetSerial = |play, which| play.profile.gpu.first_serial.wrapping_add(which.gpu as u64).to_string();
    /// The board's part number.
    nvmlDeviceGetBoardPartNumber = |play, _which| play.profile.gpu.board_part_number;
    /// Version of the VBIOS.
    nvmlDeviceGetVbiosVersion = |play, _which| play.profile.gpu.vbios_version;
    /// Version of the InfoROM.
    nvmlDeviceGetInforomImageVersion = |play, _which| play.profile.gpu.inforom_version;
}

values! {
    /// Its index.
    nvmlDeviceGetIndex -> c_uint = |_play, which| Some(which.gpu as c_uint);
    /// Its number under `/dev`.
    nvmlDeviceGetMinorNumber -> c_uint = |_play, which| Some(which.gpu as c_uint);
    /// Its place on the bus.
    nvmlDeviceGetPciInfo_v3 -> PciInfo = |play, which| play.profile.gpu.pci_bus_ids.get(which.gpu).map(|id| pci(id, play.profile.gpu.pci_device_id));
    /// Its architecture.
    nvmlDeviceGetArchitecture -> c_uint = |play, _which| Some(play.profile.gpu.architecture);
    /// Persistence mode: on.
    nvmlDeviceGetPersistenceMode -> c_uint = |_play, _which| Some(1);
    /// Board power, mW.
    nvmlDeviceGetPowerUsage -> c_uint = |play, which| whole(play, which, |board| milli(board.power_w));
    /// Power limit, mW.
    nvmlDeviceGetEnforcedPowerLimit -> c_uint = |play, which| whole(play, which, |board| milli(board.limit_w));
    /// Power limit as delivered, mW.
    nvmlDeviceGetPowerManagementDefaultLimit -> c_uint = |play, which| whole(play, which, |_| milli(play.profile.gpu.limit_w));
    /// Energy, mJ.
    nvmlDeviceGetTotalEnergyConsumption -> c_ulonglong = |play, which| whole(play, which, |board| (board.energy_j * 1e3).round() as u64);
    /// Why clocks are held down.
    nvmlDeviceGetCurrentClocksThrottleReasons -> c_ulonglong = |play, which| whole(play, which, |board| board.reasons);
    /// Use, percent.
    nvmlDeviceGetUtilizationRates -> Utilization = |play, which| whole(play, which, |board| Utilization {
        gpu: (board.load * 100.0).round() as c_uint,
        memory: (board.load * 60.0).round() as c_uint,
    });
    /// PCIe replays: none.
    nvmlDeviceGetPcieReplayCounter -> c_uint = |play, which| whole(play, which, |_| 0);
    /// Performance state: P0.
    nvmlDeviceGetPerformanceState -> c_uint = |play, which| whole(play, which, |_| 0);
    /// How many fans.
    nvmlDeviceGetNumFans -> c_uint = |play, _which| Some(play.profile.gpu.fans);
    /// How many places for MIG instances.
    nvmlDeviceGetMaxMigDeviceCount -> c_uint = |_play, _which| Some(7);
    /// Kinds of events that can be waited for.
    nvmlDeviceGetSupportedEventTypes -> c_ulonglong = |_play, _which| Some(bits::XID | bits::SINGLE_BIT | bits::DOUBLE_BIT);
    /// Whether performance samples can be had.
    nvmlGpmQueryDeviceSupport -> GpmSupport = |play, _which| Some(GpmSupport { version: 1, supported: u32::from(play.profile.gpu.architecture >= 9) });
}

/// CUDA compute capability.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetCudaComputeCapability(device: Handle, major: *mut c_int, minor: *mut c_int) -> Return {
    of_gpu("nvmlDeviceGetCudaComputeCapability", device, |play, _| {
        let [first, second] = play.profile.gpu.compute_capability;
        all([put(major, first), put(minor, second)])
    })
}

/// ECC: on, now and after a restart.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetEccMode(device: Handle, current: *mut c_uint, pending: *mut c_uint) -> Return {
    of_gpu("nvmlDeviceGetEccMode", device, |_, _| all([put(current, 1), put(pending, 1)]))
}

/// Lowest and highest power limit, mW.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPowerManagementLimitConstraints(
    device: Handle,
    min: *mut c_uint,
    max: *mut c_uint,
) -> Return {
    of_gpu("nvmlDeviceGetPowerManagementLimitConstraints", device, |play, _| {
        let gpu = &play.profile.gpu;
        all([put(min, milli(gpu.limit_min_w)), put(max, milli(gpu.limit_max_w))])
    })
}

/// Temperature of the GPU, °C; there is no other sensor by this call.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetTemperature(device: Handle, sensor: c_uint, value: *mut c_uint) -> Return {
    of_gpu("nvmlDeviceGetTemperature", device, |play, which| match play.board(which.gpu) {
        Some(board) if sensor == 0 => put(value, board.heat_c.round() as c_uint),
        _ => INVALID_ARGUMENT,
    })
}

/// A clock, MHz.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetClockInfo(device: Handle, kind: c_uint, value: *mut c_uint) -> Return {
    of_gpu("nvmlDeviceGetClockInfo", device, |play, which| match (kind, play.board(which.gpu)) {
        (2, _) => put(value, play.profile.gpu.memory_mhz),
        (0 | 1 | 3, Some(board)) => put(value, board.clock_mhz.round() as c_uint),
        _ => INVALID_ARGUMENT,
    })
}

/// Memory of a GPU or a MIG instance.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMemoryInfo_v2(device: Handle, value: *mut Memory) -> Return {
    of_gpu("nvmlDeviceGetMemoryInfo_v2", device, |play, which| {
        let gpu = &play.profile.gpu;
        let busy = play.board(which.gpu).is_some_and(|board| board.load > 0.0);
        let (total, reserved, used) = match which.mig.and_then(|mig| play.profile.mig.get(mig)) {
            Some(mig) => (mig.memory_bytes, 0, mig.used_bytes),
            None => (gpu.memory_bytes, gpu.memory_reserved_bytes, if busy { gpu.memory_busy_bytes } else { 0 }),
        };
        let free = total.saturating_sub(reserved).saturating_sub(used);
        put(value, Memory { version: 0x0200_0028, total, reserved, free, used })
    })
}

/// Encoder use, percent, and over how many µs.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetEncoderUtilization(device: Handle, value: *mut c_uint, over: *mut c_uint) -> Return {
    of_gpu("nvmlDeviceGetEncoderUtilization", device, |_, _| all([put(value, 0), put(over, 167_000)]))
}

/// Decoder use, percent, and over how many µs.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetDecoderUtilization(device: Handle, value: *mut c_uint, over: *mut c_uint) -> Return {
    of_gpu("nvmlDeviceGetDecoderUtilization", device, |_, _| all([put(value, 0), put(over, 167_000)]))
}

/// Memory errors, corrected (0) or not (1), since the driver started or in all: the same here.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetTotalEccErrors(
    device: Handle,
    kind: c_uint,
    _counter: c_uint,
    value: *mut c_ulonglong,
) -> Return {
    of_gpu("nvmlDeviceGetTotalEccErrors", device, |play, which| match (kind, play.board(which.gpu)) {
        (0, Some(board)) => put(value, board.corrected.round() as u64),
        (1, Some(board)) => put(value, board.uncorrected.round() as u64),
        _ => INVALID_ARGUMENT,
    })
}

/// Whether an NVLink is up.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetNvLinkState(device: Handle, link: c_uint, value: *mut c_uint) -> Return {
    of_gpu("nvmlDeviceGetNvLinkState", device, |play, which| {
        if link >= play.profile.gpu.nvlinks {
            return INVALID_ARGUMENT;
        }
        put(value, u32::from(link < play.links_up(which.gpu)))
    })
}

/// Errors of an NVLink: all of them replays of the first.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetNvLinkErrorCounter(
    device: Handle,
    link: c_uint,
    counter: c_uint,
    value: *mut c_ulonglong,
) -> Return {
    of_gpu("nvmlDeviceGetNvLinkErrorCounter", device, |play, which| match play.board(which.gpu) {
        Some(board) if link < play.profile.gpu.nvlinks => {
            put(value, if link == 0 && counter == 0 { board.link_errors.round() as u64 } else { 0 })
        }
        _ => INVALID_ARGUMENT,
    })
}

/// PCIe traffic, KB/s, sent (0) or received (1).
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPcieThroughput(device: Handle, counter: c_uint, value: *mut c_uint) -> Return {
    of_gpu("nvmlDeviceGetPcieThroughput", device, |play, which| match play.board(which.gpu) {
        Some(board) if counter < 2 => put(value, (board.load * PCIE_KB_S[counter as usize]).round() as c_uint),
        _ => INVALID_ARGUMENT,
    })
}

/// Speed of a fan, percent.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetFanSpeed_v2(device: Handle, fan: c_uint, value: *mut c_uint) -> Return {
    of_gpu("nvmlDeviceGetFanSpeed_v2", device, |play, which| match play.board(which.gpu) {
        Some(board) if fan < play.profile.gpu.fans => put(value, (30.0 + 70.0 * board.load).round() as c_uint),
        _ => INVALID_ARGUMENT,
    })
}

/// Whether MIG is on: where the profile has instances of the GPU.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMigMode(device: Handle, current: *mut c_uint, pending: *mut c_uint) -> Return {
    of_gpu("nvmlDeviceGetMigMode", device, |play, which| {
        let on = u32::from(play.profile.mig.iter().any(|mig| mig.gpu == which.gpu));
        all([put(current, on), put(pending, on)])
    })
}

/// The MIG instance at a place.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMigDeviceHandleByIndex(device: Handle, index: c_uint, value: *mut Handle) -> Return {
    of_gpu("nvmlDeviceGetMigDeviceHandleByIndex", device, |play, which| {
        match play.profile.mig.iter().position(|mig| mig.gpu == which.gpu && mig.index == index) {
            Some(mig) => put(value, Which { gpu: which.gpu, mig: Some(mig) }.handle()),
            None => NOT_FOUND,
        }
    })
}

/// Programs on the GPU: one while there is load.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetComputeRunningProcesses_v3(
    device: Handle,
    count: *mut c_uint,
    list: *mut Process,
) -> Return {
    of_gpu("nvmlDeviceGetComputeRunningProcesses_v3", device, |play, which| {
        if count.is_null() {
            return INVALID_ARGUMENT;
        }
        // SAFETY: not null, and by contract it holds how many the list has room for.
        let room = unsafe { count.read() };
        let running = u32::from(play.board(which.gpu).is_some_and(|board| board.load > 0.0));
        let answer = put(count, running);
        if running == 0 {
            return answer;
        }
        if room < running || list.is_null() {
            return INSUFFICIENT_SIZE;
        }
        let used = play.profile.gpu.memory_busy_bytes;
        put(list, Process { pid: 4242, used, gpu_instance: u32::MAX, compute_instance: u32::MAX })
    })
}

/// Time held down by power (0) or heat (1), ns.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetViolationStatus(device: Handle, policy: c_uint, value: *mut Violation) -> Return {
    of_gpu("nvmlDeviceGetViolationStatus", device, |play, which| {
        let held = match (policy, play.board(which.gpu)) {
            (0, Some(board)) => board.power_held_s,
            (1, Some(board)) => board.heat_held_s,
            _ => return NOT_SUPPORTED,
        };
        put(value, Violation { reference_us: now_us() as u64, violation_ns: (held * 1e9).round() as u64 })
    })
}

/// Fields: each with an answer of its own.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetFieldValues(device: Handle, count: c_int, fields: *mut Field) -> Return {
    of_gpu("nvmlDeviceGetFieldValues", device, |play, which| {
        let count = usize::try_from(count).unwrap_or(0);
        if fields.is_null() || count == 0 {
            return INVALID_ARGUMENT;
        }
        // SAFETY: not null, and by contract `count` fields whose ids are set.
        for field in unsafe { std::slice::from_raw_parts_mut(fields, count) } {
            (field.timestamp_us, field.latency_us) = (now_us(), 1);
            let named = format!("field:{}", field.id);
            let value = field_value(play, which.gpu, field.id).filter(|_| !play.unsupported(&named));
            (field.kind, field.value) = value.unwrap_or_default();
            field.answer = if value.is_some() { SUCCESS } else { NOT_SUPPORTED };
        }
        SUCCESS
    })
}

/// Kind (1 is a 32-bit number, 3 one of 64 bits) and value of a field.
fn field_value(play: &Play, gpu: usize, id: c_uint) -> Option<(c_uint, u64)> {
    let board = play.board(gpu)?;
    match id {
        38 | 45 | 59 | 160 => Some((3, 0)),
        52 => Some((3, board.link_errors.round() as u64)),
        82 => Some((1, (board.heat_c + play.profile.gpu.memory_hotter_c).round() as u64)),
        83 => Some((3, (board.energy_j * 1e3).round() as u64)),
        91 => Some((1, u64::from(play.profile.gpu.nvlinks))),
        142 | 145 => Some((1, 0)),
        143 => Some((1, board.uncorrected.floor() as u64)),
        144 => Some((1, u64::from(board.uncorrected >= 1.0))),
        _ => None,
    }
}

/// A new set of events.
#[unsafe(no_mangle)]
extern "C" fn nvmlEventSetCreate(set: *mut Handle) -> Return {
    of_house("nvmlEventSetCreate", |play| {
        let handle = play.handle();
        play.sets.insert(handle, EventSet::default());
        put(set, std::ptr::without_provenance_mut(handle))
    })
}

/// Waits for events of a GPU from now on.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceRegisterEvents(device: Handle, kinds: c_ulonglong, set: Handle) -> Return {
    of_gpu("nvmlDeviceRegisterEvents", device, |play, which| {
        if play.register(set.addr(), which.gpu, kinds) { SUCCESS } else { INVALID_ARGUMENT }
    })
}

/// The next event, or a timeout.
#[unsafe(no_mangle)]
extern "C" fn nvmlEventSetWait_v2(set: Handle, data: *mut Event, timeout_ms: c_uint) -> Return {
    let wait = || {
        let until = Instant::now() + Duration::from_millis(u64::from(timeout_ms));
        let mut guard = play();
        loop {
            let Some(play) = guard.as_mut().filter(|play| play.open > 0) else { return UNINITIALIZED };
            play.advance();
            if !play.sets.contains_key(&set.addr()) {
                return INVALID_ARGUMENT;
            }
            if let Some((gpu, kind, code)) = play.event(set.addr()) {
                let device = Which { gpu, mig: None }.handle();
                let none = u32::MAX;
                return put(data, Event { device, kind, data: code, gpu_instance: none, compute_instance: none });
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return TIMEOUT;
            }
            let pause = Duration::from_millis(play.pause_ms(u64::from(timeout_ms))).min(left);
            guard = BELL.wait_timeout(guard, pause).map_or_else(|poisoned| poisoned.into_inner().0, |woken| woken.0);
        }
    };
    catch_unwind(AssertUnwindSafe(wait)).unwrap_or(UNKNOWN)
}

/// Forgets a set of events.
#[unsafe(no_mangle)]
extern "C" fn nvmlEventSetFree(set: Handle) -> Return {
    of_house("nvmlEventSetFree", |play| play.sets.remove(&set.addr()).map_or(INVALID_ARGUMENT, |_| SUCCESS))
}

/// A new, empty performance sample.
#[unsafe(no_mangle)]
extern "C" fn nvmlGpmSampleAlloc(sample: *mut Handle) -> Return {
    of_house("nvmlGpmSampleAlloc", |play| {
        let handle = play.handle();
        play.samples.insert(handle, None);
        put(sample, std::ptr::without_provenance_mut(handle))
    })
}

/// Forgets a performance sample.
#[unsafe(no_mangle)]
extern "C" fn nvmlGpmSampleFree(sample: Handle) -> Return {
    of_house("nvmlGpmSampleFree", |play| play.samples.remove(&sample.addr()).map_or(INVALID_ARGUMENT, |_| SUCCESS))
}

/// Takes a performance sample: of Hopper and newer.
#[unsafe(no_mangle)]
extern "C" fn nvmlGpmSampleGet(device: Handle, sample: Handle) -> Return {
    of_gpu("nvmlGpmSampleGet", device, |play, which| {
        let load = play.board(which.gpu).map(|board| (which.gpu, board.load));
        if play.profile.gpu.architecture < 9 || which.mig.is_some() {
            return NOT_SUPPORTED;
        }
        play.samples.get_mut(&sample.addr()).map_or(INVALID_ARGUMENT, |sample| {
            *sample = load;
            SUCCESS
        })
    })
}

/// What two samples of a GPU say of the time between them.
#[unsafe(no_mangle)]
extern "C" fn nvmlGpmMetricsGet(request: *mut GpmRequest) -> Return {
    of_house("nvmlGpmMetricsGet", |play| {
        if request.is_null() {
            return INVALID_ARGUMENT;
        }
        // SAFETY: not null, and by contract a request; only its head is read here.
        let (count, first, second) = unsafe { ((*request).count, (*request).first, (*request).second) };
        let sample = |handle: Handle| play.samples.get(&handle.addr()).copied().flatten();
        let (Some((gpu, before)), Some((same, now))) = (sample(first), sample(second)) else { return INVALID_ARGUMENT };
        if gpu != same || count > 98 {
            return INVALID_ARGUMENT;
        }
        // SAFETY: by contract `count` metrics follow the head, and no NVML has room for fewer than 98.
        let metrics = unsafe {
            std::slice::from_raw_parts_mut((&raw mut (*request).metrics).cast::<GpmMetric>(), count as usize)
        };
        for metric in metrics {
            let value = gpm_value(play, metric.id, f64::midpoint(before, now));
            metric.value = value.unwrap_or(0.0);
            metric.answer = if value.is_some() { SUCCESS } else { NOT_SUPPORTED };
            metric.words = [std::ptr::null(); 3];
        }
        SUCCESS
    })
}

/// A performance metric at a load: shares in percent, traffic in MiB/s.
fn gpm_value(play: &Play, id: c_uint, load: f64) -> Option<f64> {
    const MIB: f64 = 1_048_576.0;
    let nvlink = f64::from(play.profile.gpu.nvlinks) * play.profile.gpu.nvlink_mb_s * 1e6 / MIB;
    match id {
        1 | 2 => Some(100.0 * load),
        5 => Some(45.0 * load),
        10 => Some(60.0 * load),
        20 => Some(PCIE_KB_S[0] * 1e3 / MIB * load),
        21 => Some(PCIE_KB_S[1] * 1e3 / MIB * load),
        60 | 61 => Some(nvlink * 0.2 * load),
        _ => None,
    }
}

/// PCIe traffic at full load, sent and received, KB/s.
const PCIE_KB_S: [f64; 2] = [2_000_000.0, 5_000_000.0];

fn now_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

/// A place on the bus, from its usual way of writing: `00000000:1A:00.0`.
fn pci(id: &str, pci_device_id: c_uint) -> PciInfo {
    let mut parts = id.split([':', '.']).map(|part| c_uint::from_str_radix(part, 16).unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    let (domain, bus, device) = (part(), part(), part());
    let mut info =
        PciInfo { bus_id_legacy: [0; 16], domain, bus, device, pci_device_id, pci_subsystem_id: 0, bus_id: [0; 32] };
    for (to, from) in info.bus_id.iter_mut().take(31).zip(id.bytes()) {
        *to = c_char::from_ne_bytes([from]);
    }
    info
}

/// The profile beside the library, the one that the environment names, or the one built in.
fn profile() -> Result<Profile, String> {
    let beside = own_path().map(|path| path.with_extension("toml")).filter(|path| path.exists());
    let named = beside.or_else(|| std::env::var_os("MILLWRIGHT_FAKE_NVML").map(PathBuf::from));
    let Some(path) = named else { return Profile::parse(include_str!("../profiles/8xh100.toml")) };
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Profile::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Where this library was loaded from, as the kernel's map of the process says.
fn own_path() -> Option<PathBuf> {
    let here = (nvmlInit_v2 as extern "C" fn() -> Return as *const ()).addr();
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    maps.lines().find_map(|line| {
        let (from, to) = line.split_once(' ')?.0.split_once('-')?;
        let path = &line[line.find('/')?..];
        (number(from)?..number(to)?).contains(&here).then(|| PathBuf::from(path))
    })
}
