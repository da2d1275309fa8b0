//! What may be changed in a design for one year: the same for the command line and for runs.

use model::catalog::Catalog;
use model::design::{Demand, Design};
use model::id::PartId;
use model::part::CoolingKind;
use model::quantity::{Power, Temperature};
use model::run::RunRequest;

/// Coldest and warmest supply that makes sense, °C.
const SUPPLY_C: std::ops::RangeInclusive<f64> = 5.0..=60.0;

/// One thing or another, changed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Changes {
    /// The language model to serve, by its catalog name.
    pub model: Option<String>,
    /// Power limit of every GPU.
    pub power_cap: Option<Power>,
    /// Facility water supply set-point of liquid loops; of all loops where none is liquid.
    pub supply_temperature: Option<Temperature>,
    /// How much work arrives.
    pub demand: Option<Demand>,
}

impl From<&RunRequest> for Changes {
    fn from(request: &RunRequest) -> Self {
        Self {
            model: request.model.as_ref().map(ToString::to_string),
            power_cap: request.power_cap,
            supply_temperature: request.supply_temperature,
            demand: request.demand,
        }
    }
}

/// Why a design can't be changed so.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The catalog has no such model.
    #[error("the catalog has no model \"{name}\"; it has {known}")]
    NoModel {
        /// Its name.
        name: String,
        /// Names of those that it has.
        known: String,
    },
    /// Not a limit.
    #[error("{watts} is not a power in watts above 0")]
    PowerCap {
        /// What was asked.
        watts: f64,
    },
    /// No water is so cold or warm.
    #[error("{celsius} °C is outside {} to {} °C", SUPPLY_C.start(), SUPPLY_C.end())]
    SupplyTemperature {
        /// What was asked.
        celsius: f64,
    },
}

impl Error {
    /// What it is about, as the command line calls it.
    pub fn flag(&self) -> &'static str {
        match self {
            Self::NoModel { .. } => "--model",
            Self::PowerCap { .. } => "--power-cap",
            Self::SupplyTemperature { .. } => "--supply-temperature",
        }
    }
    /// The same, as runs call it.
    pub fn field(&self) -> &'static str {
        match self {
            Self::NoModel { .. } => "model",
            Self::PowerCap { .. } => "power_cap_w",
            Self::SupplyTemperature { .. } => "supply_temperature_c",
        }
    }
}

impl Changes {
    /// Whether nothing is changed.
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }

    /// Makes the changes.
    pub fn apply(&self, design: &mut Design, catalog: &Catalog) -> Result<(), Error> {
        if let Some(name) = &self.model {
            let model = catalog.models.iter().find(|row| row.id.as_str() == name).ok_or_else(|| {
                let names: Vec<&str> = catalog.models.iter().map(|row| row.id.as_str()).collect();
                Error::NoModel { name: name.clone(), known: names.join(", ") }
            })?;
            design.service.model = model.id.clone();
        }
        if let Some(cap) = self.power_cap {
            set_power_cap(design, cap)?;
        }
        if let Some(supply) = self.supply_temperature {
            set_supply(design, catalog, supply)?;
        }
        if let Some(demand) = self.demand {
            design.service.demand = demand;
        }
        Ok(())
    }
}

/// The limit is for every GPU, so it wins over what single rows say.
fn set_power_cap(design: &mut Design, cap: Power) -> Result<(), Error> {
    let watts = cap.as_watts();
    if !(watts > 0.0 && watts.is_finite()) {
        return Err(Error::PowerCap { watts });
    }
    design.service.power_cap = Some(cap);
    for rack in design.halls.iter_mut().flat_map(|hall| &mut hall.rows).flat_map(|row| &mut row.racks) {
        rack.power_cap = None;
    }
    Ok(())
}

fn set_supply(design: &mut Design, catalog: &Catalog, supply: Temperature) -> Result<(), Error> {
    let celsius = supply.as_celsius();
    if !SUPPLY_C.contains(&celsius) {
        return Err(Error::SupplyTemperature { celsius });
    }
    let liquid = |part: &PartId| catalog.cooling(part).is_some_and(|row| matches!(row.kind, CoolingKind::Cdu { .. }));
    let any_liquid = design.cooling.iter().any(|each| liquid(&each.terminal.part));
    for each in design.cooling.iter_mut().filter(|each| !any_liquid || liquid(&each.terminal.part)) {
        each.supply_temperature = supply;
    }
    Ok(())
}
