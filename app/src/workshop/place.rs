//! Places in a design: what can be selected, linked to and changed.

use model::catalog::Catalog;
use model::design::{CoolingLoop, Design, Hall, Mounted, PowerGroup, RackGroup, Row};
use model::part::Sourced;
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
    /// Trays alike in such a rack.
    Tray(usize, usize, usize, usize),
    /// A part of the design's own.
    Own(OwnList, usize),
}

/// The lists of a design's own parts that are changed field by field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnList {
    /// Accelerators.
    Gpu,
    /// Servers, trays, switches.
    Tray,
    /// Racks.
    Rack,
    /// Power equipment.
    Power,
    /// Cooling equipment.
    Cooling,
}

impl OwnList {
    /// In the order of the tree.
    pub const ALL: [Self; 5] = [Self::Gpu, Self::Tray, Self::Rack, Self::Power, Self::Cooling];

    /// As a design's file and an address have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gpu => "gpu",
            Self::Tray => "tray",
            Self::Rack => "rack",
            Self::Power => "power",
            Self::Cooling => "cooling",
        }
    }

    /// Where the row of that name in designs stands in it.
    fn position(self, own: &Catalog, id: &str) -> Option<usize> {
        fn of<T: Sourced>(rows: &[T], id: &str) -> Option<usize> {
            rows.iter().position(|row| row.row() == id)
        }
        match self {
            Self::Gpu => of(&own.gpus, id),
            Self::Tray => of(&own.trays, id),
            Self::Rack => of(&own.racks, id),
            Self::Power => of(&own.power, id),
            Self::Cooling => of(&own.cooling, id),
        }
    }

    /// Names of its rows.
    pub fn rows(self, own: &Catalog) -> Vec<&str> {
        match self {
            Self::Gpu => own.gpus.iter().map(|row| row.name.as_str()).collect(),
            Self::Tray => own.trays.iter().map(|row| row.name.as_str()).collect(),
            Self::Rack => own.racks.iter().map(|row| row.name.as_str()).collect(),
            Self::Power => own.power.iter().map(|row| row.name.as_str()).collect(),
            Self::Cooling => own.cooling.iter().map(|row| row.name.as_str()).collect(),
        }
    }
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
            Self::Tray(hall, row, rack, tray) => write!(f, "hall/{hall}/row/{row}/rack/{rack}/tray/{tray}"),
            Self::Own(list, at) => write!(f, "own/{}/{at}", list.name()),
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
            ["hall", hall, "row", row, "rack", rack, "tray", tray] => {
                Ok(Self::Tray(index(hall)?, index(row)?, index(rack)?, index(tray)?))
            }
            ["own", list, at] => {
                let list = OwnList::ALL.into_iter().find(|each| each.name() == list).ok_or(NoPlace)?;
                Ok(Self::Own(list, index(at)?))
            }
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
/// Trays of a rack.
pub fn tray(design: &Design, hall: usize, row: usize, rack: usize, at: usize) -> Option<&Mounted> {
    self::rack(design, hall, row, rack)?.trays.get(at)
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
            Self::Tray(h, r, k, at) => tray(design, h, r, k, at).is_some(),
            Self::Own(list, at) => at < list.rows(&design.parts).len(),
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
            Self::Tray(h, r, k, at) => tray(design, h, r, k, at).map(|item| item.part.to_string()).unwrap_or_default(),
            Self::Own(list, at) => list.rows(&design.parts).get(at).map(ToString::to_string).unwrap_or_default(),
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
            Self::Tray(..) => "trays",
            Self::Own(OwnList::Gpu, _) => "own GPU",
            Self::Own(OwnList::Tray, _) => "own tray",
            Self::Own(OwnList::Rack, _) => "own rack",
            Self::Own(OwnList::Power, _) => "own power part",
            Self::Own(OwnList::Cooling, _) => "own cooling part",
        }
    }

    /// Under which heading of the tree it stands; empty for what is of the site as a whole.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Site | Self::Service | Self::Finance => "",
            Self::Power(_) => "Power",
            Self::Loop(_) => "Cooling",
            Self::Hall(_) | Self::Row(..) | Self::Rack(..) | Self::Tray(..) => "Halls",
            Self::Own(..) => "Own parts",
        }
    }

    /// How many stand at it, all copies of what holds it counted; 1 for what has no copies.
    pub fn copies(self, design: &Design) -> u32 {
        match self {
            Self::Site | Self::Service | Self::Finance | Self::Loop(_) | Self::Own(..) => 1,
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
            Self::Tray(h, r, k, at) => {
                let racks = Self::Rack(h, r, k).copies(design);
                tray(design, h, r, k, at).map_or(0, |item| item.count.saturating_mul(racks))
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
            ("parts", [id, ..]) => {
                let list = place.split(' ').nth(1).and_then(|name| OwnList::ALL.into_iter().find(|l| l.name() == name));
                let found = list.and_then(|list| Some(Self::Own(list, list.position(&design.parts, id)?)));
                found.unwrap_or(Self::Site)
            }
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
                for (k, group) in row.racks.iter().enumerate() {
                    all.push((Self::Rack(h, r, k), 3));
                    all.extend((0..group.trays.len()).map(|t| (Self::Tray(h, r, k, t), 4)));
                }
            }
        }
        for list in OwnList::ALL {
            all.extend((0..list.rows(&design.parts).len()).map(|at| (Self::Own(list, at), 1)));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_of_an_own_part_leads_to_it() {
        let part = |id: &str| {
            format!(
                r#"{{"id":"{id}","name":"{id}","maker":"m","kind":"ups","rated_power_w":5,"loss":{{"a":0,"b":0,"c":0}},
                    "price_usd":1,"source":"s","as_of":"2026"}}"#
            )
        };
        let design: Design = serde_json::from_str(&format!(
            r#"{{"name":"D","location":"x","contract_power_w":1e6,"parts":{{"power":[{},{}]}}}}"#,
            part("one"),
            part("two")
        ))
        .unwrap();
        assert_eq!(Place::of_note("parts power \"two\"", &design), Place::Own(OwnList::Power, 1));
        assert_eq!(Place::of_note("parts power \"three\"", &design), Place::Site);
        assert_eq!(Place::of_note("parts model \"two\"", &design), Place::Site);
    }

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
            Place::Tray(2, 0, 7, 1),
            Place::Own(OwnList::Cooling, 3),
        ];
        for place in all {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for wrong in ["", "hall", "hall/x", "hall/0/row", "power/-1", "hall/0/row/1/rack/2/3", "own/model/0", "own/gpu"]
        {
            assert_eq!(wrong.parse::<Place>(), Err(NoPlace), "{wrong}");
        }
    }
}
