//! GPUs: DCGM exporter, nvidia_gpu_exporter, AMD's device metrics exporter.

use super::{Family, Row, Scale, When, row};
use model::metric::Metric as M;

/// github.com/NVIDIA/dcgm-exporter, `etc/default-counters.csv` at d5e5f51: name and unit of each.
const CSV: &str = "dcgm-exporter etc/default-counters.csv";
/// docs.nvidia.com/datacenter/dcgm, field identifiers.
const FIELDS: &str = "DCGM field identifiers";
/// In megabytes of 1000 KiB each second, both directions, and a gauge whatever the page says.
const NVLINK: &str = "github.com/NVIDIA/dcgm-exporter pull request 658";

/// NVIDIA's DCGM exporter.
pub(super) const DCGM: Family = Family {
    title: "DCGM exporter",
    prefixes: &["DCGM_FI_", "DCGM_EXP_"],
    engine: None,
    histograms: &[],
    rows: DCGM_ROWS,
};

const DCGM_ROWS: &[Row] = &[
    row("DEV_SM_CLOCK", M::GpuSmClock, Scale::MEGA, CSV),
    row("DEV_MEM_CLOCK", M::GpuMemoryClock, Scale::MEGA, CSV),
    row("DEV_MEMORY_TEMP", M::GpuMemoryTemperature, Scale::ONE, CSV),
    row("DEV_GPU_TEMP", M::GpuTemperature, Scale::ONE, CSV),
    row("DEV_POWER_USAGE", M::GpuPower, Scale::ONE, CSV),
    row("DEV_POWER_USAGE_INSTANT", M::GpuPower, Scale::ONE, FIELDS).rank(1),
    row("DEV_TOTAL_ENERGY_CONSUMPTION", M::GpuEnergy, Scale::MILLI, CSV),
    row("DEV_ENFORCED_POWER_LIMIT", M::GpuPowerLimit, Scale::ONE, FIELDS),
    row("DEV_POWER_MGMT_LIMIT", M::GpuPowerLimit, Scale::ONE, FIELDS).rank(1),
    row("DEV_POWER_MGMT_LIMIT_DEF", M::GpuPowerLimitDefault, Scale::ONE, FIELDS),
    row("DEV_POWER_MGMT_LIMIT_MIN", M::GpuPowerLimitMin, Scale::ONE, FIELDS),
    row("DEV_POWER_MGMT_LIMIT_MAX", M::GpuPowerLimitMax, Scale::ONE, FIELDS),
    row("DEV_PCIE_REPLAY_COUNTER", M::GpuPcieReplays, Scale::ONE, CSV),
    row("PROF_PCIE_TX_BYTES", M::GpuPcieSent, Scale::ONE, CSV),
    row("PROF_PCIE_RX_BYTES", M::GpuPcieReceived, Scale::ONE, CSV),
    row("DEV_GPU_UTIL", M::GpuUtilization, Scale::PERCENT, CSV),
    row("DEV_MEM_COPY_UTIL", M::GpuMemoryUtilization, Scale::PERCENT, CSV),
    row("DEV_ENC_UTIL", M::GpuEncoderUtilization, Scale::PERCENT, CSV),
    row("DEV_DEC_UTIL", M::GpuDecoderUtilization, Scale::PERCENT, CSV),
    row("DEV_XID_ERRORS", M::GpuLastXid, Scale::ONE, CSV),
    row("DEV_POWER_VIOLATION", M::GpuPowerViolation, Scale::NANO, CSV),
    row("DEV_THERMAL_VIOLATION", M::GpuThermalViolation, Scale::NANO, CSV),
    row("DEV_FB_FREE", M::GpuMemoryFree, Scale::MEBI, CSV),
    row("DEV_FB_USED", M::GpuMemoryUsed, Scale::MEBI, CSV),
    row("DEV_FB_RESERVED", M::GpuMemoryReserved, Scale::MEBI, CSV),
    row("DEV_FB_TOTAL", M::GpuMemoryTotal, Scale::MEBI, FIELDS),
    row("DEV_ECC_SBE_VOL_TOTAL", M::GpuEccCorrected, Scale::ONE, CSV),
    row("DEV_ECC_DBE_VOL_TOTAL", M::GpuEccUncorrected, Scale::ONE, CSV),
    row("DEV_ECC_SBE_AGG_TOTAL", M::GpuEccCorrected, Scale::ONE, CSV).rank(1),
    row("DEV_ECC_DBE_AGG_TOTAL", M::GpuEccUncorrected, Scale::ONE, CSV).rank(1),
    row("DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL", M::GpuNvlinkErrors, Scale::ONE, CSV).adds("error", "crc-flit"),
    row("DEV_NVLINK_CRC_DATA_ERROR_COUNT_TOTAL", M::GpuNvlinkErrors, Scale::ONE, CSV).adds("error", "crc-data"),
    row("DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL", M::GpuNvlinkErrors, Scale::ONE, CSV).adds("error", "replay"),
    row("DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL", M::GpuNvlinkErrors, Scale::ONE, CSV).adds("error", "recovery"),
    row("DEV_NVLINK_BANDWIDTH_TOTAL", M::GpuNvlinkBandwidth, Scale::times(1_024_000.0), NVLINK),
    row("DEV_UNCORRECTABLE_REMAPPED_ROWS", M::GpuRemappedUncorrectable, Scale::ONE, CSV),
    row("DEV_CORRECTABLE_REMAPPED_ROWS", M::GpuRemappedCorrectable, Scale::ONE, CSV),
    row("DEV_ROW_REMAP_FAILURE", M::GpuRemapFailure, Scale::ONE, CSV),
    row("DEV_ROW_REMAP_PENDING", M::GpuRemapPending, Scale::ONE, FIELDS),
    row("PROF_GR_ENGINE_ACTIVE", M::GpuGraphicsActive, Scale::ONE, CSV),
    row("PROF_PIPE_TENSOR_ACTIVE", M::GpuTensorActive, Scale::ONE, CSV),
    row("PROF_DRAM_ACTIVE", M::GpuDramActive, Scale::ONE, CSV),
    row("DEV_CLOCKS_EVENT_REASONS", M::GpuClockEvents, Scale::ONE, FIELDS),
    row("DEV_CLOCK_THROTTLE_REASONS", M::GpuClockEvents, Scale::ONE, FIELDS).rank(1),
    row("DEV_PSTATE", M::GpuPerformanceState, Scale::ONE, FIELDS),
    row("DEV_FAN_SPEED", M::GpuFanSpeed, Scale::PERCENT, FIELDS),
    row("DEV_MIG_MODE", M::GpuMigMode, Scale::ONE, FIELDS),
];

/// github.com/utkuozdemir/nvidia_gpu_exporter at e656cd8, its captured pages: units are in the names, base units all.
const PAGE: &str = "nvidia_gpu_exporter internal/integration/testdata";

/// utkuozdemir's exporter of what `nvidia-smi` tells.
pub(super) const NVIDIA_SMI: Family = Family {
    title: "nvidia_gpu_exporter",
    prefixes: &["nvidia_smi_"],
    engine: None,
    histograms: &[],
    rows: NVIDIA_SMI_ROWS,
};

const NVIDIA_SMI_ROWS: &[Row] = &[
    row("power_draw_watts", M::GpuPower, Scale::ONE, PAGE),
    row("power_draw_instant_watts", M::GpuPower, Scale::ONE, PAGE).rank(1),
    row("power_draw_average_watts", M::GpuPower, Scale::ONE, PAGE).rank(2),
    row("enforced_power_limit_watts", M::GpuPowerLimit, Scale::ONE, PAGE),
    row("power_limit_watts", M::GpuPowerLimit, Scale::ONE, PAGE).rank(1),
    row("power_default_limit_watts", M::GpuPowerLimitDefault, Scale::ONE, PAGE),
    row("power_min_limit_watts", M::GpuPowerLimitMin, Scale::ONE, PAGE),
    row("power_max_limit_watts", M::GpuPowerLimitMax, Scale::ONE, PAGE),
    row("temperature_gpu", M::GpuTemperature, Scale::ONE, PAGE),
    row("temperature_memory", M::GpuMemoryTemperature, Scale::ONE, PAGE),
    row("utilization_gpu_ratio", M::GpuUtilization, Scale::ONE, PAGE),
    row("utilization_memory_ratio", M::GpuMemoryUtilization, Scale::ONE, PAGE),
    row("utilization_encoder_ratio", M::GpuEncoderUtilization, Scale::ONE, PAGE),
    row("utilization_decoder_ratio", M::GpuDecoderUtilization, Scale::ONE, PAGE),
    row("clocks_current_sm_clock_hz", M::GpuSmClock, Scale::ONE, PAGE),
    row("clocks_current_graphics_clock_hz", M::GpuSmClock, Scale::ONE, PAGE).rank(1),
    row("clocks_current_memory_clock_hz", M::GpuMemoryClock, Scale::ONE, PAGE),
    row("memory_used_bytes", M::GpuMemoryUsed, Scale::ONE, PAGE),
    row("memory_free_bytes", M::GpuMemoryFree, Scale::ONE, PAGE),
    row("memory_reserved_bytes", M::GpuMemoryReserved, Scale::ONE, PAGE),
    row("memory_total_bytes", M::GpuMemoryTotal, Scale::ONE, PAGE),
    row("ecc_errors_corrected_volatile_total", M::GpuEccCorrected, Scale::ONE, PAGE),
    row("ecc_errors_uncorrected_volatile_total", M::GpuEccUncorrected, Scale::ONE, PAGE),
    row("ecc_errors_corrected_aggregate_total", M::GpuEccCorrected, Scale::ONE, PAGE).rank(1),
    row("ecc_errors_uncorrected_aggregate_total", M::GpuEccUncorrected, Scale::ONE, PAGE).rank(1),
    row("remapped_rows_correctable", M::GpuRemappedCorrectable, Scale::ONE, PAGE),
    row("remapped_rows_uncorrectable", M::GpuRemappedUncorrectable, Scale::ONE, PAGE),
    row("remapped_rows_pending", M::GpuRemapPending, Scale::ONE, PAGE),
    row("remapped_rows_failure", M::GpuRemapFailure, Scale::ONE, PAGE),
    row("clocks_event_reasons_active", M::GpuClockEvents, Scale::ONE, PAGE),
    row("clocks_throttle_reasons_active", M::GpuClockEvents, Scale::ONE, "the same before driver 535").rank(1),
    row("clocks_event_reasons_counters_sw_power_cap_seconds", M::GpuPowerViolation, Scale::ONE, PAGE),
    row("clocks_event_reasons_counters_hw_power_brake_slowdown_seconds", M::GpuPowerViolation, Scale::ONE, PAGE)
        .adds("reason", "hardware"),
    row("clocks_event_reasons_counters_sw_thermal_slowdown_seconds", M::GpuThermalViolation, Scale::ONE, PAGE),
    row("clocks_event_reasons_counters_hw_thermal_slowdown_seconds", M::GpuThermalViolation, Scale::ONE, PAGE)
        .adds("reason", "hardware"),
    row("pstate", M::GpuPerformanceState, Scale::ONE, PAGE),
    row("fan_speed_ratio", M::GpuFanSpeed, Scale::ONE, "nvidia_gpu_exporter README"),
    row("mig_mode_current", M::GpuMigMode, Scale::ONE, PAGE),
    row("compute_apps", M::GpuProcesses, Scale::ONE, PAGE),
];

/// github.com/ROCm/device-metrics-exporter, `docs/configuration/metricslist.md` at 0778d3a. Its megabytes are those of
/// AMD SMI, 2^20 bytes.
const LIST: &str = "device-metrics-exporter docs/configuration/metricslist.md";

/// AMD's device metrics exporter, whose names had no prefix at first.
pub(super) const AMD: Family = Family {
    title: "AMD device metrics exporter",
    prefixes: &["amd_", ""],
    engine: None,
    histograms: &[],
    rows: AMD_ROWS,
};

const AMD_ROWS: &[Row] = &[
    row("gpu_power_usage", M::GpuPower, Scale::ONE, LIST),
    row("gpu_package_power", M::GpuPower, Scale::ONE, LIST).rank(1),
    row("gpu_average_package_power", M::GpuPower, Scale::ONE, LIST).rank(2),
    row("gpu_energy_consumed", M::GpuEnergy, Scale::MICRO, LIST),
    row("gpu_junction_temperature", M::GpuTemperature, Scale::ONE, LIST),
    row("gpu_edge_temperature", M::GpuTemperature, Scale::ONE, LIST).rank(1),
    row("gpu_memory_temperature", M::GpuMemoryTemperature, Scale::ONE, LIST),
    row("gpu_gfx_activity", M::GpuUtilization, Scale::PERCENT, LIST),
    row("gpu_umc_activity", M::GpuMemoryUtilization, Scale::PERCENT, LIST),
    row("gpu_prof_tensor_active_percent", M::GpuTensorActive, Scale::PERCENT, LIST),
    row("gpu_clock", M::GpuSmClock, Scale::MEGA, LIST).when(When::Is("clock_type", "GPU_CLOCK_TYPE_SYSTEM")),
    row("gpu_clock", M::GpuMemoryClock, Scale::MEGA, LIST).when(When::Is("clock_type", "GPU_CLOCK_TYPE_MEMORY")),
    row("gpu_total_vram", M::GpuMemoryTotal, Scale::MEBI, LIST),
    row("gpu_used_vram", M::GpuMemoryUsed, Scale::MEBI, LIST),
    row("gpu_free_vram", M::GpuMemoryFree, Scale::MEBI, LIST),
    row("gpu_ecc_correct_total", M::GpuEccCorrected, Scale::ONE, LIST),
    row("gpu_ecc_uncorrect_total", M::GpuEccUncorrected, Scale::ONE, LIST),
    row("pcie_replay_count", M::GpuPcieReplays, Scale::ONE, LIST),
];
