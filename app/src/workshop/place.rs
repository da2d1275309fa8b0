//! Places in a design: what can be selected, linked to and changed.

use model::design::{CoolingLoop, Design, Hall, PowerGroup, RackGroup, Row};
use std::fmt;
use std::str::FromStr;

/// Something in a design. Indices are those of its lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The site as a whole.
    Site,
    /// What it serves.
    Service,
    /// What money costs and earns.
    Finance,
    /// A power group.
    Power(usize),
    /// A cooling loop.
    Loop(usize),
    /// A hall.
    Hall(usize),
    /// A row of a hall.
    Row(usize, usize),
    /// Racks alike in a row.
    Rack(usize, usize, usize),
}

impl fmt::Display for Place {
    /// As in the address of a page: `hall/0/row/1/rack/2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Site => f.write_str("site"),
            Self::Service => f.write_str("service"),
            Self::Finance => f.write_str("finance"),
            Self::Power(at) => write!(f, "power/{at}"),
            Self::Loop(at) => write!(f, "loop/{at}"),
            Self::Hall(hall) => write!(f, "hall/{hall}"),
            Self::Row(hall, row) => write!(f, "hall/{hall}/row/{row}"),
            Self::Rack(hall, row, rack) => write!(f, "hall/{hall}/row/{row}/rack/{rack}"),
        }
    }
}

/// Text that is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;
    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let parts: Vec<&str> = text.split('/').collect();
        let index = |text: &str| text.parse::<usize>().map_err(|_| NoPlace);
        match parts[..] {
            ["site"] => Ok(Self::Site),
            ["service"] => Ok(Self::Service),
            ["finance"] => Ok(Self::Finance),
            ["power", at] => Ok(Self::Power(index(at)?)),
            ["loop", at] => Ok(Self::Loop(index(at)?)),
            ["hall", hall] => Ok(Self::Hall(index(hall)?)),
            ["hall", hall, "row", row] => Ok(Self::Row(index(hall)?, index(row)?)),
            ["hall", hall, "row", row, "rack", rack] => Ok(Self::Rack(index(hall)?, index(row)?, index(rack)?)),
            _ => Err(NoPlace),
        }
    }
}

/// A hall of a design.
pub fn hall(design: &Design, at: usize) -> Option<&Hall> {
    design.halls.get(at)
}
/// A row of a hall.
pub fn row(design: &Design, hall: usize, at: usize) -> Option<&Row> {
    design.halls.get(hall)?.rows.get(at)
}
/// Racks of a row.
pub fn rack(design: &Design, hall: usize, row: usize, at: usize) -> Option<&RackGroup> {
    design.halls.get(hall)?.rows.get(row)?.racks.get(at)
}
/// A power group.
pub fn power(design: &Design, at: usize) -> Option<&PowerGroup> {
    design.power.get(at)
}
/// A cooling loop.
pub fn cooling(design: &Design, at: usize) -> Option<&CoolingLoop> {
    design.cooling.get(at)
}

impl Place {
    /// Whether a design has it.
    pub fn is_in(self, design: &Design) -> bool {
        match self {
            Self::Site | Self::Service | Self::Finance => true,
            Self::Power(at) => power(design, at).is_some(),
            Self::Loop(at) => cooling(design, at).is_some(),
            Self::Hall(at) => hall(design, at).is_some(),
            Self::Row(h, at) => row(design, h, at).is_some(),
            Self::Rack(h, r, at) => rack(design, h, r, at).is_some(),
        }
    }

    /// Its name, as the tree shows it.
    pub fn name(self, design: &Design) -> String {
        match self {
            Self::Site => design.name.clone(),
            Self::Service => "Service".into(),
            Self::Finance => "Finance".into(),
            Self::Power(at) => power(design, at).map(|group| group.name.clone()).unwrap_or_default(),
            Self::Loop(at) => cooling(design, at).map(|each| each.name.clone()).unwrap_or_default(),
            Self::Hall(at) => hall(design, at).map(|hall| hall.name.clone()).unwrap_or_default(),
            Self::Row(h, at) => row(design, h, at).map(|row| row.name.clone()).unwrap_or_default(),
            Self::Rack(h, r, at) => rack(design, h, r, at).map(|group| group.part.to_string()).unwrap_or_default(),
        }
    }

    /// What kind of thing it is, in a word.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Service => "service",
            Self::Finance => "finance",
            Self::Power(_) => "power group",
            Self::Loop(_) => "cooling loop",
            Self::Hall(_) => "hall",
            Self::Row(..) => "row",
            Self::Rack(..) => "racks",
        }
    }

    /// How many stand at it, all copies of what holds it counted; 1 for what has no copies.
    pub fn copies(self, design: &Design) -> u32 {
        match self {
            Self::Site | Self::Service | Self::Finance | Self::Loop(_) => 1,
            Self::Power(at) => power(design, at).map_or(0, |group| group.units),
            Self::Hall(at) => hall(design, at).map_or(0, |hall| hall.count),
            Self::Row(h, at) => {
                let halls = hall(design, h).map_or(0, |hall| hall.count);
                row(design, h, at).map_or(0, |row| row.count.saturating_mul(halls))
            }
            Self::Rack(h, r, at) => {
                let rows = Self::Row(h, r).copies(design);
                rack(design, h, r, at).map_or(0, |group| group.count.saturating_mul(rows))
            }
        }
    }

    /// Where a note of the engine points: `hall "A" › row "1"`, `power "ups"`, `cooling "warm"`, `service`.
    pub fn of_note(place: &str, design: &Design) -> Self {
        let names: Vec<&str> = place.split('"').skip(1).step_by(2).collect();
        let found = |list: Option<usize>, make: fn(usize) -> Self| list.map_or(Self::Site, make);
        match (place.split([' ', '"']).next().unwrap_or_default(), names.as_slice()) {
            ("power", [name, ..]) => found(design.power.iter().position(|group| group.name == *name), Self::Power),
            ("cooling", [name, ..]) => found(design.cooling.iter().position(|each| each.name == *name), Self::Loop),
            ("hall", [hall, rest @ ..]) => {
                let Some(at) = design.halls.iter().position(|each| each.name == *hall) else { return Self::Site };
                let row = rest.first().and_then(|row| design.halls[at].rows.iter().position(|r| r.name == *row));
                row.map_or(Self::Hall(at), |row| Self::Row(at, row))
            }
            ("power" | "utility", _) => {
                found(design.power.iter().position(|group| group.fed_by.is_none()), Self::Power)
            }
            ("cooling", _) if !design.cooling.is_empty() => Self::Loop(0),
            ("service", _) => Self::Service,
            ("finance", _) => Self::Finance,
            _ => Self::Site,
        }
    }

    /// Every place of a design, in the tree's order, with its depth.
    pub fn all(design: &Design) -> Vec<(Self, usize)> {
        let mut all = vec![(Self::Site, 0), (Self::Service, 1), (Self::Finance, 1)];
        all.extend((0..design.power.len()).map(|at| (Self::Power(at), 1)));
        all.extend((0..design.cooling.len()).map(|at| (Self::Loop(at), 1)));
        for (h, hall) in design.halls.iter().enumerate() {
            all.push((Self::Hall(h), 1));
            for (r, row) in hall.rows.iter().enumerate() {
                all.push((Self::Row(h, r), 2));
                all.extend((0..row.racks.len()).map(|k| (Self::Rack(h, r, k), 3)));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_and_read() {
        let all = [
            Place::Site,
            Place::Service,
            Place::Finance,
            Place::Power(3),
            Place::Loop(1),
            Place::Hall(2),
            Place::Row(2, 0),
            Place::Rack(2, 0, 7),
        ];
        for place in all {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for wrong in ["", "hall", "hall/x", "hall/0/row", "power/-1", "hall/0/row/1/rack/2/3"] {
            assert_eq!(wrong.parse::<Place>(), Err(NoPlace), "{wrong}");
        }
    }
}
