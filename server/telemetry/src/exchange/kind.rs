//! The kinds of objects and points that the BMS schema 1.0 has, and what the metadata of each must hold: data, written
//! down from the published schema and held against it by a test.
//!
//! Never: looks at a message.

use model::facility::Medium;
use std::fmt;
use std::str::FromStr;

macro_rules! names {
    ($(#[$doc:meta])* $kind:ident { $($name:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the schema's own names say it")]
        pub enum $kind { $($name),+ }
        impl $kind {
            /// Each, in the schema's order.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
            /// As the schema writes it.
            pub fn name(self) -> &'static str { match self { $(Self::$name => stringify!($name)),+ } }
        }
        impl FromStr for $kind {
            type Err = ();
            fn from_str(name: &str) -> Result<Self, ()> { match name { $(stringify!($name) => Ok(Self::$name),)+ _ => Err(()) } }
        }
        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.name()) }
        }
    };
}

names! {
    /// What a point belongs to.
    ObjectType {
        Rack, PowerMeter, CDU, CoolingTower, HX, CRAH, CRAC, AHU, Chiller, Tank, Valve, Pump, Fan, Damper, Sensor, BESS,
        UPS, ATS, Generator, Shunt, Breaker, System, GenericObject,
    }
}

names! {
    /// What a point is.
    PointType {
        RackLiquidSupplyTemperature, RackLiquidReturnTemperature, RackLiquidFlow, RackLiquidDifferentialPressure,
        RackLiquidDifferentialPressureSp, RackControlValvePosition, RackPower, RackLeakDetect, RackLeakSensorFault,
        RackLeakDetectTray, RackLiquidIsolationStatus, RackElectricalIsolationStatus, RackLiquidIsolationRequest,
        RackElectricalIsolationRequest,
        Voltage, PowerFactor, Frequency, ApparentPower, ActivePower, Current, CurrentLimit, PhaseCurrent,
        LiquidTemperature, LiquidDifferentialPressure, LiquidFlow, LiquidPressure, Status, Available, ValvePosition,
        PumpSpeed, FanSpeed, DamperPosition, AirTemperature, AirDifferentialPressure, AirRelativeHumidity, AirFlow,
        AirPressure, LeakDetect, LiquidTemperatureSpRequest, Sound, GenericPoint,
        HeartbeatTimestampBms, HeartbeatEchoBms, HeartbeatTimestampIntegration, HeartbeatEchoIntegration,
    }
}

use ObjectType as O;
use PointType as P;

macro_rules! mechanical {
    ($($more:ident),*) => {
        &[
            P::LiquidTemperature, P::LiquidDifferentialPressure, P::LiquidFlow, P::LiquidPressure, P::Status, P::Available,
            P::ValvePosition, P::PumpSpeed, P::FanSpeed, P::DamperPosition, P::AirTemperature, P::AirDifferentialPressure,
            P::AirRelativeHumidity, P::AirFlow, P::AirPressure, P::LeakDetect, P::GenericPoint, $(P::$more),*
        ]
    };
}

const RACK: &[P] = &[
    P::RackLiquidSupplyTemperature,
    P::RackLiquidReturnTemperature,
    P::RackLiquidFlow,
    P::RackLiquidDifferentialPressure,
    P::RackLiquidDifferentialPressureSp,
    P::RackControlValvePosition,
    P::RackPower,
    P::RackLeakDetect,
    P::RackLeakSensorFault,
    P::RackLeakDetectTray,
    P::RackLiquidIsolationStatus,
    P::RackElectricalIsolationStatus,
    P::RackLiquidIsolationRequest,
    P::RackElectricalIsolationRequest,
];
const METER: &[P] = &[
    P::Voltage,
    P::PowerFactor,
    P::Frequency,
    P::ApparentPower,
    P::ActivePower,
    P::Current,
    P::CurrentLimit,
    P::PhaseCurrent,
    P::GenericPoint,
];
const SENSOR: &[P] = &[
    P::LiquidTemperature,
    P::LiquidDifferentialPressure,
    P::LiquidFlow,
    P::LiquidPressure,
    P::AirTemperature,
    P::AirDifferentialPressure,
    P::AirRelativeHumidity,
    P::AirFlow,
    P::AirPressure,
    P::LeakDetect,
    P::Sound,
    P::Available,
    P::GenericPoint,
];
const SYSTEM: &[P] = &[
    P::HeartbeatTimestampBms,
    P::HeartbeatEchoBms,
    P::HeartbeatTimestampIntegration,
    P::HeartbeatEchoIntegration,
    P::Status,
    P::Available,
    P::GenericPoint,
];

impl ObjectType {
    /// The kinds of points that it may have.
    pub fn points(self) -> &'static [PointType] {
        match self {
            O::Rack => RACK,
            O::PowerMeter => METER,
            O::CDU => mechanical!(LiquidTemperatureSpRequest),
            O::GenericObject => mechanical!(LiquidTemperatureSpRequest, Sound),
            O::CoolingTower | O::HX | O::CRAH | O::CRAC | O::AHU | O::Chiller | O::Tank => mechanical!(),
            O::Valve => &[P::ValvePosition, P::Available, P::GenericPoint],
            O::Pump => &[P::PumpSpeed, P::Available, P::GenericPoint],
            O::Fan => &[P::FanSpeed, P::Available, P::GenericPoint],
            O::Damper => &[P::DamperPosition, P::Available, P::GenericPoint],
            O::Sensor => SENSOR,
            O::BESS | O::UPS | O::ATS | O::Generator | O::Shunt | O::Breaker => {
                &[P::Status, P::Available, P::GenericPoint]
            }
            O::System => SYSTEM,
        }
    }

    /// What flows from it to what it serves.
    pub fn medium(self) -> Medium {
        match self {
            O::PowerMeter | O::BESS | O::UPS | O::ATS | O::Generator | O::Shunt | O::Breaker => Medium::Power,
            O::CDU | O::CoolingTower | O::HX | O::Chiller | O::Tank | O::Valve | O::Pump => Medium::Liquid,
            O::CRAH | O::CRAC | O::AHU | O::Fan | O::Damper => Medium::Air,
            O::Rack | O::Sensor | O::System | O::GenericObject => Medium::Other,
        }
    }
}

/// What a point's metadata say of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Exactly this unit.
    Unit(&'static str),
    /// Some unit.
    AnyUnit,
    /// Words for each state.
    States,
    /// A unit or states, not both.
    Either,
    /// A unit or states or nothing.
    Optional,
    /// Neither.
    Nothing,
}

/// Whether a field is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It must be there.
    Must,
    /// It may.
    May,
    /// It must not.
    Not,
}

/// Who may write values of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// The BMS.
    Bms,
    /// The integration that the metadata name.
    Integration,
    /// Either.
    Both,
}

impl Writers {
    /// Whether the BMS may.
    pub fn bms(self) -> bool {
        matches!(self, Self::Bms | Self::Both)
    }
    /// Whether an integration may.
    pub fn integration(self) -> bool {
        matches!(self, Self::Integration | Self::Both)
    }
}

impl PointType {
    /// What its metadata say of its values.
    pub fn scale(self) -> Scale {
        match self {
            P::RackLiquidSupplyTemperature
            | P::RackLiquidReturnTemperature
            | P::LiquidTemperature
            | P::AirTemperature
            | P::LiquidTemperatureSpRequest => Scale::Unit("C"),
            P::RackLiquidFlow => Scale::Unit("LPM"),
            P::RackLiquidDifferentialPressure | P::RackLiquidDifferentialPressureSp => Scale::Unit("kPa"),
            P::RackControlValvePosition => Scale::Unit("%"),
            P::RackPower => Scale::Unit("kW"),
            P::RackLeakDetect
            | P::RackLeakSensorFault
            | P::RackLeakDetectTray
            | P::RackLiquidIsolationStatus
            | P::RackElectricalIsolationStatus
            | P::RackLiquidIsolationRequest
            | P::RackElectricalIsolationRequest
            | P::Status
            | P::Available
            | P::LeakDetect => Scale::States,
            P::Voltage
            | P::Frequency
            | P::ApparentPower
            | P::ActivePower
            | P::Current
            | P::CurrentLimit
            | P::PhaseCurrent
            | P::Sound => Scale::AnyUnit,
            P::LiquidDifferentialPressure
            | P::LiquidFlow
            | P::LiquidPressure
            | P::ValvePosition
            | P::PumpSpeed
            | P::FanSpeed
            | P::DamperPosition
            | P::AirDifferentialPressure
            | P::AirRelativeHumidity
            | P::AirFlow
            | P::AirPressure => Scale::Either,
            P::GenericPoint => Scale::Optional,
            P::PowerFactor
            | P::HeartbeatTimestampBms
            | P::HeartbeatEchoBms
            | P::HeartbeatTimestampIntegration
            | P::HeartbeatEchoIntegration => Scale::Nothing,
        }
    }

    /// Whether it is one of the four heartbeats.
    pub fn is_heartbeat(self) -> bool {
        let bms = matches!(self, P::HeartbeatTimestampBms | P::HeartbeatEchoBms);
        bms || matches!(self, P::HeartbeatTimestampIntegration | P::HeartbeatEchoIntegration)
    }

    /// Who may write its values.
    pub fn writers(self, of: ObjectType) -> Writers {
        let own =
            matches!(self, P::RackLeakDetectTray | P::RackLiquidIsolationRequest | P::RackElectricalIsolationRequest)
                || matches!(self, P::LiquidTemperatureSpRequest)
                || matches!(self, P::HeartbeatTimestampIntegration | P::HeartbeatEchoIntegration);
        let shared = self == P::GenericPoint || (of == O::System && matches!(self, P::Status | P::Available));
        match (own, shared) {
            (true, _) => Writers::Integration,
            (false, true) => Writers::Both,
            (false, false) => Writers::Bms,
        }
    }

    /// Whether its metadata name an integration.
    pub fn integration(self, of: ObjectType) -> Need {
        match self.writers(of) {
            Writers::Integration => Need::Must,
            Writers::Both => Need::May,
            Writers::Bms if matches!(self, P::Status | P::Available) => Need::May,
            Writers::Bms => Need::Not,
        }
    }

    /// Whether its metadata name a part of the process.
    pub fn process_area(self, of: ObjectType) -> Need {
        if self == P::GenericPoint {
            return Need::Must;
        }
        let never = matches!(of, O::Rack | O::PowerMeter) || self.is_heartbeat();
        if never { Need::Not } else { Need::May }
    }

    /// Whether its metadata name a phase.
    pub fn phase(self) -> Need {
        if self == P::PhaseCurrent {
            return Need::Must;
        }
        if self == P::GenericPoint { Need::May } else { Need::Not }
    }

    /// Whether its metadata may call it a set-point.
    pub fn setpoint(self) -> Need {
        let measured = matches!(self, P::LiquidTemperature | P::LiquidDifferentialPressure | P::LiquidFlow)
            || matches!(self, P::LiquidPressure | P::AirTemperature | P::AirDifferentialPressure)
            || matches!(self, P::AirRelativeHumidity | P::AirFlow | P::AirPressure);
        let may = measured || matches!(self, P::RackLiquidDifferentialPressureSp | P::GenericPoint);
        if may { Need::May } else { Need::Not }
    }

    /// Whether its metadata say which part of the exchange it stands for.
    pub fn scope(self) -> Need {
        if matches!(self, P::HeartbeatTimestampBms | P::HeartbeatEchoBms) { Need::May } else { Need::Not }
    }
}
