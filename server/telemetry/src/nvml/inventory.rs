//! What GPUs there are: facts that do not move while the driver runs. What the driver does not say stays empty.

use super::probe::MIGS;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};
use serde::{Deserialize, Serialize};

/// The GPUs of a host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    /// The host's name.
    pub host: String,
    /// The driver's version.
    pub driver_version: Option<String>,
    /// NVML's version.
    pub nvml_version: Option<String>,
    /// The newest CUDA that the driver can run.
    pub cuda_version: Option<String>,
    /// One after the other, as the driver counts them. One that can't be asked has its index alone.
    pub gpus: Vec<GpuFacts>,
}

/// One GPU.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct GpuFacts {
    /// Its index on the host.
    pub index: u32,
    /// Its own id.
    pub uuid: Option<String>,
    /// Its model, as the driver says it.
    pub name: Option<String>,
    /// Serial number.
    pub serial: Option<String>,
    /// Part number of the board.
    pub board_part_number: Option<String>,
    /// Version of the VBIOS.
    pub vbios_version: Option<String>,
    /// Version of the InfoROM.
    pub inforom_version: Option<String>,
    /// PCI address.
    pub pci_bus_id: Option<String>,
    /// PCI device and vendor, as a number.
    pub pci_device_id: Option<u32>,
    /// Its architecture.
    pub architecture: Option<String>,
    /// CUDA compute capability.
    pub compute_capability: Option<String>,
    /// Memory, bytes.
    pub memory_bytes: Option<u64>,
    /// Power limit as delivered, W.
    pub power_limit_default_w: Option<f64>,
    /// Lowest power limit, W.
    pub power_limit_min_w: Option<f64>,
    /// Highest power limit, W.
    pub power_limit_max_w: Option<f64>,
    /// Persistence mode.
    pub persistence: Feature,
    /// Error correction of its memory.
    pub ecc: Feature,
    /// Whether it is divided into instances.
    pub mig: Feature,
    /// Its instances.
    pub mig_devices: Vec<MigFacts>,
}

/// Whether something is switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// It is.
    On,
    /// It is not.
    Off,
    /// The GPU does not have it, or does not say.
    #[default]
    Unknown,
}

impl Feature {
    fn of(answer: Option<bool>) -> Self {
        match answer {
            Some(true) => Self::On,
            Some(false) => Self::Off,
            None => Self::Unknown,
        }
    }
}

/// A MIG instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigFacts {
    /// Its place on the GPU: the label `mig` of its series.
    pub index: u32,
    /// Its own id.
    pub uuid: Option<String>,
    /// The GPU and the profile, as the driver says it.
    pub name: Option<String>,
    /// Memory, bytes.
    pub memory_bytes: Option<u64>,
}

impl Inventory {
    pub(super) fn of(nvml: &Nvml, host: &str) -> Self {
        let count = nvml.device_count().unwrap_or(0).min(super::reader::GPUS);
        let cuda = |version: i32| format!("{}.{}", version / 1000, version % 1000 / 10);
        Self {
            host: host.to_owned(),
            driver_version: said(nvml.sys_driver_version()),
            nvml_version: said(nvml.sys_nvml_version()),
            cuda_version: nvml.sys_cuda_driver_version().ok().map(cuda),
            gpus: (0..count)
                .map(|index| match nvml.device_by_index(index) {
                    Ok(device) => GpuFacts::of(index, &device),
                    Err(_) => GpuFacts { index, ..GpuFacts::default() },
                })
                .collect(),
        }
    }

    /// In a line: how many GPUs of which kind, and the driver.
    pub fn words(&self) -> String {
        let mut kinds: Vec<(&str, u32)> = Vec::new();
        for gpu in &self.gpus {
            let name = gpu.name.as_deref().unwrap_or("unknown GPU");
            match kinds.iter_mut().find(|(kind, _)| *kind == name) {
                Some((_, count)) => *count += 1,
                None => kinds.push((name, 1)),
            }
        }
        let mut words: Vec<String> = kinds.iter().map(|(name, count)| format!("{count} × {name}")).collect();
        words.extend(self.driver_version.as_ref().map(|version| format!("driver {version}")));
        words.extend(self.cuda_version.as_ref().map(|version| format!("CUDA {version}")));
        words.join(", ")
    }
}

impl GpuFacts {
    fn of(index: u32, gpu: &Device<'_>) -> Self {
        let pci = gpu.pci_info().ok();
        let limits = gpu.power_management_limit_constraints().ok();
        let watts = |milliwatts: u32| f64::from(milliwatts) / 1e3;
        let mig = Feature::of(gpu.mig_mode().ok().map(|mode| mode.current != 0));
        Self {
            index,
            uuid: said(gpu.uuid()),
            name: said(gpu.name()),
            serial: said(gpu.serial()),
            board_part_number: said(gpu.board_part_number()),
            vbios_version: said(gpu.vbios_version()),
            inforom_version: said(gpu.info_rom_image_version()),
            pci_bus_id: pci.as_ref().map(|pci| pci.bus_id.clone()),
            pci_device_id: pci.map(|pci| pci.pci_device_id),
            architecture: gpu.architecture().ok().map(|is| is.to_string()),
            compute_capability: gpu.cuda_compute_capability().ok().map(|is| format!("{}.{}", is.major, is.minor)),
            memory_bytes: gpu.memory_info().ok().map(|is| is.total),
            power_limit_default_w: gpu.power_management_limit_default().ok().map(watts),
            power_limit_min_w: limits.as_ref().map(|is| watts(is.min_limit)),
            power_limit_max_w: limits.map(|is| watts(is.max_limit)),
            persistence: Feature::of(gpu.is_in_persistent_mode().ok()),
            ecc: Feature::of(gpu.is_ecc_enabled().ok().map(|mode| mode.currently_enabled)),
            mig,
            mig_devices: if mig == Feature::On { instances(gpu) } else { Vec::new() },
        }
    }
}

fn instances(gpu: &Device<'_>) -> Vec<MigFacts> {
    let places = 0..gpu.mig_device_count().unwrap_or(0).min(MIGS);
    let facts = |index| {
        let instance = gpu.mig_device_by_index(index).ok()?;
        let memory_bytes = instance.memory_info().ok().map(|is| is.total);
        Some(MigFacts { index, uuid: said(instance.uuid()), name: said(instance.name()), memory_bytes })
    };
    places.filter_map(facts).collect()
}

/// A text that says something.
fn said(answer: Result<String, NvmlError>) -> Option<String> {
    answer.ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty() && text != "N/A")
}
