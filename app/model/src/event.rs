//! What happens in a live fleet, as it is told: driver errors, leaks, state changes. Events are never values.

use serde::{Deserialize, Serialize};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FleetEvent {
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Which source told it.
    pub source: String,
    /// The host that it happened on; absent for the building's.
    pub host: Option<String>,
    /// The GPU, as whoever told it names it: a UUID, a PCI address or an index.
    pub gpu: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub what: Happening,
    /// The words of whoever told it.
    pub message: String,
}

/// Kinds of what happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Happening {
    /// The GPU's driver reports an error.
    Xid {
        /// Its number.
        code: u32,
        /// Where the driver's words name it: the action that XID 154 asks for, the unit of an NVLink error.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// An NVSwitch reports an error.
    Sxid {
        /// Its number.
        code: u32,
        /// Whether the fabric went down with it.
        fatal: bool,
    },
    /// The GPU does not answer any more.
    GpuLost,
    /// It answers again.
    GpuBack,
    /// A host restarted.
    HostRestarted,
    /// A host's life cycle moved, as the lifecycle manager says.
    HostState {
        /// To which state.
        state: String,
    },
    /// Coolant was found where none belongs.
    Leak {
        /// What found it.
        object: String,
    },
    /// The grid or the operator asks for another load; absent power means the usual.
    LoadTarget {
        /// How much, watts.
        target_w: Option<f64>,
    },
    /// A source stopped or began to answer.
    Source {
        /// Whether it answers.
        up: bool,
    },
    /// Someone's remark on a time: a deploy, a repair.
    Remark {
        /// When it ends, milliseconds since 1970 UTC; absent for a moment.
        until_ms: Option<i64>,
    },
}

/// What the catalog says of an XID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct XidMeaning {
    /// Its number.
    pub code: u32,
    /// The driver's own name of it; empty where the catalog has none.
    pub mnemonic: String,
    /// What it is, in words.
    pub words: String,
    /// What to do first.
    pub immediate: XidAction,
    /// What to look into after that.
    pub investigate: Option<XidAction>,
}

/// What an XID calls for, mildest first, so that the greatest of a burst is what the burst calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum XidAction {
    /// Nothing.
    Ignore,
    /// The program, or the driver's own code, is looked at for what it did wrong.
    CheckSoftware,
    /// The program on the GPU is started again.
    RestartApp,
    /// Driver or firmware is brought up to date.
    UpdateSoftware,
    /// The unified-memory driver's state is looked at.
    CheckUvm,
    /// The link, its cable and the device at its other end are looked at.
    CheckLink,
    /// Connectors and seating are looked at.
    CheckMechanicals,
    /// The steps of the catalog are followed.
    Workflow,
    /// The GPU is taken out of work and its diagnostics are run.
    RunDiagnostics,
    /// The GPU is reset.
    ResetGpu,
    /// The node is emptied first, then the GPU is reset.
    DrainAndReset,
    /// The virtual machine is started again.
    RestartVm,
    /// The host is started again.
    RestartHost,
    /// The node is drained and looked at by support.
    ContactSupport,
}

/// Errors of one node that belong together: until three minutes of silence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Burst {
    /// The host.
    pub host: String,
    /// The first error, milliseconds since 1970 UTC.
    pub start_ms: i64,
    /// The last one so far.
    pub end_ms: i64,
    /// Whether three minutes have passed since.
    pub closed: bool,
    /// How many errors.
    pub count: u32,
    /// Each number, with how often it came, the most severe first.
    pub codes: Vec<BurstCode>,
    /// The GPUs that they were on.
    pub gpus: Vec<String>,
    /// What the whole calls for: the greatest of its parts, unless XID 154 names it.
    pub action: XidAction,
    /// The XID that decided the action.
    pub decided_by: u32,
    /// Whether work on the node was most likely cut off.
    pub disrupts_jobs: bool,
    /// Errors that are known to stick, and were left out because they came within three hours of the same.
    pub sticky_suppressed: u32,
}

/// How often an error came in a burst.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BurstCode {
    /// The catalog's row; where the catalog has none, the number alone.
    pub meaning: XidMeaning,
    /// How often.
    pub count: u32,
}

/// What several bursts, or the registers of one error, tell together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HealthRemark {
    /// Which rule found it.
    pub rule: HealthRule,
    /// The host.
    pub host: String,
    /// The GPU; absent where it is about several.
    pub gpu: Option<String>,
    /// The XID.
    pub code: u32,
    /// When it was last seen, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// In how many bursts of the last day.
    pub bursts: u32,
    /// What it calls for.
    pub action: XidAction,
    /// Why, in words.
    pub words: String,
}

/// Rules over the bursts of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum HealthRule {
    /// The same XID on the same GPU in five bursts or more.
    RepeatedOnSameGpu,
    /// XID 31 on one GPU, again and again.
    Xid31OnSameGpu,
    /// XID 31 on several GPUs.
    Xid31OnSeveralGpus,
    /// XID 13 on the same cluster of processors, again and again.
    Xid13OnSameProcessors,
    /// XID 13, each time somewhere else.
    Xid13Elsewhere,
    /// XID 13 or 31 once, and nothing beside it.
    SoloApplicationError,
    /// XID 48 together with 63 or 64.
    DoubleBitWithRemap,
    /// XID 45 with nothing that explains it.
    SoloCleanup,
    /// What the registers of XID 74 say.
    NvlinkRegisters,
}

/// What the page of events asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EventQuery {
    /// From when, milliseconds since 1970 UTC.
    pub from_ms: i64,
    /// Until when.
    pub to_ms: i64,
    /// A host; absent means all.
    #[serde(default)]
    pub host: Option<String>,
    /// A part of hosts' names, in capitals or not; absent means all.
    #[serde(default)]
    pub host_part: Option<String>,
    /// A kind, as it is called on the wire (`xid`, `leak`, …); absent means all.
    #[serde(default)]
    pub what: Option<String>,
    /// How many events at most.
    pub limit: u32,
}

/// What happened in a stretch of time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EventsView {
    /// Errors of the GPUs' drivers that belong together, the newest first.
    pub bursts: Vec<Burst>,
    /// Events, the newest first.
    pub events: Vec<FleetEvent>,
    /// Whether there are more than were asked for.
    pub more: bool,
}
