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
    /// The program on the GPU is started again.
    RestartApp,
    /// Driver or firmware is brought up to date.
    UpdateSoftware,
    /// The unified-memory driver's state is looked at.
    CheckUvm,
    /// Connectors and seating are looked at.
    CheckMechanicals,
    /// The steps of the catalog are followed.
    Workflow,
    /// The GPU is reset.
    ResetGpu,
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
