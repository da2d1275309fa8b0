//! A trace: what happened in each step of a simulated year, in columns, and what each node of the plant saw.

use crate::quantity::{Energy, Power, Span};
use serde::{Deserialize, Serialize};

/// How a step's heat left the facility's largest loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CoolingMode {
    /// Outside air alone.
    Dry,
    /// Outside air, wetted.
    Adiabatic,
    /// Evaporation in a tower.
    Tower,
    /// The outside, with chillers for the rest.
    Trim,
    /// Chillers for all of it.
    Chiller,
}

impl CoolingMode {
    /// All of them, in the order of their codes in the `cooling_mode` column.
    pub const ALL: [Self; 5] = [Self::Dry, Self::Adiabatic, Self::Tower, Self::Trim, Self::Chiller];
    /// Its code in the `cooling_mode` column.
    pub fn code(self) -> f64 {
        match self {
            Self::Dry => 0.0,
            Self::Adiabatic => 1.0,
            Self::Tower => 2.0,
            Self::Trim => 3.0,
            Self::Chiller => 4.0,
        }
    }
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dry => "dry",
            Self::Adiabatic => "adiabatic",
            Self::Tower => "tower",
            Self::Trim => "trim",
            Self::Chiller => "chiller",
        }
    }
}

macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// One value for each step. Names end in their unit; powers are means over the step.
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        pub struct Columns { $($(#[$doc])* pub $name: Vec<f64>,)+ }

        /// One step's values, in the same order.
        #[derive(Debug, Clone, Copy, PartialEq, Default)]
        pub struct StepValues { $($(#[$doc])* pub $name: f64,)+ }

        impl Columns {
            /// Empty columns with room for so many steps, so that no step allocates.
            pub fn with_capacity(steps: usize) -> Self {
                Self { $($name: Vec::with_capacity(steps),)+ }
            }
            /// Appends one step.
            pub fn push(&mut self, step: &StepValues) {
                $(self.$name.push(step.$name);)+
            }
            /// Every column with its name, in order.
            pub fn named(&self) -> Vec<(&'static str, &[f64])> {
                vec![$((stringify!($name), self.$name.as_slice()),)+]
            }
        }
    };
}

columns! {
    /// Outside dry bulb, °C.
    dry_bulb_c,
    /// Outside wet bulb, °C.
    wet_bulb_c,
    /// At the utility meter, W.
    facility_power_w,
    /// Into the racks, W.
    it_power_w,
    /// Into GPU boards, W.
    gpu_power_w,
    /// Rectifiers in the racks, W; part of IT power.
    shelf_loss_w,
    /// Transformers, UPS, busways and the rest of the tree, W.
    distribution_loss_w,
    /// Fans outside and inside, W.
    fan_power_w,
    /// Pumps, W.
    pump_power_w,
    /// Chillers, W.
    chiller_power_w,
    /// Lighting, offices and the like, W.
    house_power_w,
    /// Heat that left, W.
    heat_rejected_w,
    /// Heat that the loops could not reject and stored or refused; 0 in a sound design, W.
    heat_stored_w,
    /// Output tokens asked for, per second.
    demand_tokens_per_s,
    /// Output tokens made, per second.
    output_tokens_per_s,
    /// Prompt tokens taken in, per second.
    input_tokens_per_s,
    /// Share of full serving in use, of what the machines could do.
    utilisation,
    /// Share of the wanted dynamic power that cooling and contract allowed; 1 where nothing held it back.
    allowed_share,
    /// Warmest facility water supply, °C.
    supply_temperature_c,
    /// Make-up water, litres per second.
    water_l_per_s,
    /// Code of the cooling mode of the largest loop.
    cooling_mode,
    /// Price of energy, $/MWh.
    price_usd_per_mwh,
    /// Carbon intensity, g/kWh.
    carbon_g_per_kwh,
}

/// What one node of the power tree saw.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NodeTotals {
    /// Its highest output.
    #[serde(rename = "peak_power_w")]
    pub peak: Power,
    /// Energy that went through it.
    #[serde(rename = "output_energy_j")]
    pub output: Energy,
    /// Energy that it lost.
    #[serde(rename = "loss_energy_j")]
    pub loss: Energy,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Trace {
    /// Length of a step.
    #[serde(rename = "step_s")]
    pub step: Span,
    /// Step by step.
    pub columns: Columns,
    /// Node by node, as in `Site::power`.
    pub nodes: Vec<NodeTotals>,
    /// Largest relative error of the energy books over the year: supplied against used and lost.
    pub balance_error: f64,
}
