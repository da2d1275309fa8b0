//! A hall to be shown in 3D: its racks as the floor plan has them, each with the figure that it is coloured by, or why there
//! is none.

use crate::format::{self, Units};
use crate::workshop::answer::Answer;
use crate::workshop::place::Place;
use model::catalog::Catalog;
use model::design::Design;
use model::part::RackKind;
use model::quantity::Power;
use model::scene::{Colours, Line, Paint, Pillar, RackRun, Scale, Scene, Strip};
use model::site::Site;
use sim::floor::{FloorPlan, GroupPlan, RowPlan};

/// Height of a rack that the catalog has not: that of most.
const USUAL_HEIGHT_M: f64 = 2.2;
/// Most racks alike in a row that are drawn, as on the floor plan.
const MOST_ALIKE: u32 = 2_000;

/// What racks are coloured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    /// What they are for.
    Kind,
    /// What they may take.
    #[default]
    Provisioned,
    /// What they take with everything busy.
    Drawn,
    /// Output tokens per second with everything busy.
    Tokens,
    /// Their mass with trays.
    Mass,
    /// The water that comes to them.
    Water,
}

impl Measure {
    /// In the order in which they are offered.
    pub const ALL: [Self; 6] = [Self::Kind, Self::Provisioned, Self::Drawn, Self::Tokens, Self::Mass, Self::Water];

    /// As the address has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Provisioned => "provisioned",
            Self::Drawn => "drawn",
            Self::Tokens => "tokens",
            Self::Mass => "mass",
            Self::Water => "water",
        }
    }

    /// As it is chosen.
    pub fn words(self) -> &'static str {
        match self {
            Self::Kind => "Kind of rack",
            Self::Provisioned => "Provisioned power",
            Self::Drawn => "Drawn power",
            Self::Tokens => "Output tokens",
            Self::Mass => "Mass",
            Self::Water => "Water supply",
        }
    }

    /// What it is exactly.
    pub fn about(self) -> &'static str {
        match self {
            Self::Kind => "What each rack is for",
            Self::Provisioned => "Power provisioned to each rack",
            Self::Drawn => "Power drawn by each rack, everything busy",
            Self::Tokens => "Output tokens of each rack, everything busy",
            Self::Mass => "Mass of each rack with its trays",
            Self::Water => "Water supplied to each rack on the hottest hour",
        }
    }

    /// A figure with its unit.
    pub fn figure(self, units: Units, value: f64) -> String {
        match self {
            Self::Kind => String::new(),
            // Nothing at all needs no unit.
            _ if value == 0.0 && self.begins_at_nothing() => "0".into(),
            Self::Provisioned | Self::Drawn => format::power(Power::from_watts(value)).to_string(),
            Self::Tokens => format::token_rate(value).to_string(),
            Self::Mass => format::mass_in(units, value / 1e3).to_string(),
            Self::Water => format::celsius_in(units, value).to_string(),
        }
    }

    /// Whether nothing at all of it is 0, so that a scale begins there; degrees begin anywhere.
    fn begins_at_nothing(self) -> bool {
        match self {
            Self::Provisioned | Self::Drawn | Self::Tokens | Self::Mass => true,
            Self::Kind | Self::Water => false,
        }
    }
}

/// What a group of racks is coloured by, or why there is no figure.
pub type Found = Result<f64, &'static str>;

/// Racks alike in a row of the design.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// What is selected by them.
    pub place: Place,
    /// The row's name.
    pub row: String,
    /// Rows alike.
    pub rows: u32,
    /// The part's name.
    pub part: String,
    /// What they are for; none where the catalog has no such rack.
    pub kind: Option<RackKind>,
    /// Racks in one of the rows.
    pub count: u32,
    height_m: f64,
    /// Of one rack.
    pub found: Found,
}

/// A hall with a figure for each of its racks.
#[derive(Debug, Clone, PartialEq)]
pub struct Hall {
    /// Which of the design's.
    pub at: usize,
    /// Its name.
    pub name: String,
    /// Whether it has water: a hall without is drawn without.
    pub wet: bool,
    /// Where things stand.
    pub plan: FloorPlan,
    /// What is coloured.
    pub measure: Measure,
    /// Row by row.
    pub groups: Vec<Group>,
}

/// A hall of a design; none where it has no such.
pub fn hall(design: &Design, catalog: &Catalog, answer: &Answer, at: usize, measure: Measure) -> Option<Hall> {
    let drawn = design.halls.get(at)?;
    // Classes of the site stand in the order of the design's groups.
    let before: usize = design.halls.iter().take(at).flat_map(|hall| &hall.rows).map(|row| row.racks.len()).sum();
    let figures = figures(answer, measure);
    let mut groups = Vec::new();
    for (r, row) in drawn.rows.iter().enumerate() {
        for (k, group) in row.racks.iter().enumerate() {
            let rack = catalog.rack(&group.part);
            let found = figures.get(before + groups.len()).copied();
            groups.push(Group {
                place: Place::Rack(at, r, k),
                row: row.name.clone(),
                rows: row.count,
                part: rack.map_or_else(|| group.part.to_string(), |rack| rack.name.clone()),
                kind: rack.map(|rack| rack.kind),
                count: group.count,
                height_m: rack.map_or(USUAL_HEIGHT_M, |rack| rack.height.as_metres()),
                found: found.unwrap_or(Err("unknown while the design does not add up")),
            });
        }
    }
    let (name, wet) = (drawn.name.clone(), drawn.liquid.is_some());
    Some(Hall { at, name, wet, plan: sim::floor::plan(drawn, catalog), measure, groups })
}

/// A figure for each class of the site.
fn figures(answer: &Answer, measure: Measure) -> Vec<Found> {
    let Some(site) = answer.site.as_deref() else { return Vec::new() };
    let of_racks = |found: fn(&Site, usize, &sim::RackFigures) -> Found| {
        sim::rack_figures(site).iter().enumerate().map(|(at, figures)| found(site, at, figures)).collect()
    };
    match measure {
        Measure::Kind => Vec::new(),
        Measure::Provisioned => site.racks.iter().map(|class| Ok(class.provisioned().as_watts())).collect(),
        Measure::Mass => site.racks.iter().map(|class| Ok(class.mass.as_kilograms())).collect(),
        Measure::Drawn => of_racks(|_, _, figures| Ok(figures.drawn_w)),
        Measure::Tokens => of_racks(|site, at, figures| {
            let none = if site.racks[at].gpus == 0 { "has no GPUs" } else { "unknown: its GPUs can't serve the model" };
            figures.output_tokens_per_s.ok_or(none)
        }),
        Measure::Water => {
            let supply = |at: u32| answer.evaluation.loops.get(at as usize).map(|each| each.supply_c);
            let of = |class: &model::site::RackClass| {
                let at =
                    class.liquid.filter(|_| class.liquid_fraction.as_fraction() > 0.0).ok_or("is cooled by air")?;
                supply(at).ok_or("unknown: its loop has no figure")
            };
            site.racks.iter().map(of).collect()
        }
    }
}

impl Hall {
    /// Racks in it.
    pub fn racks(&self) -> u32 {
        self.groups.iter().fold(0, |sum, group| sum.saturating_add(group.count.saturating_mul(group.rows)))
    }

    /// Ends of the scale; none where racks are coloured by kind, or no rack has a figure.
    pub fn scale(&self) -> Option<Scale> {
        let known = self.groups.iter().filter_map(|group| group.found.ok()).filter(|value| value.is_finite());
        let (low, high) = known.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        let low = if self.measure.begins_at_nothing() { low.min(0.0) } else { low };
        (self.measure != Measure::Kind && low <= high).then_some(Scale { low, high })
    }

    /// Why racks have no figure, each reason once.
    pub fn missing(&self) -> Vec<&'static str> {
        let mut reasons = Vec::new();
        for group in self.groups.iter().filter(|_| self.measure != Measure::Kind) {
            if let Err(why) = group.found
                && !reasons.contains(&why)
            {
                reasons.push(why);
            }
        }
        reasons
    }

    /// What stands at a place: `8 GB300 NVL72 in row unit: 142 kW each`.
    pub fn words(&self, units: Units, place: &str) -> Option<String> {
        let group = self.groups.iter().find(|group| group.place.to_string() == place)?;
        let figure = match (self.measure, group.found) {
            (Measure::Kind, _) => kind_name(group.kind).to_owned(),
            (_, Ok(value)) => format!("{} each", self.measure.figure(units, value)),
            (_, Err(why)) => why.to_owned(),
        };
        Some(format!("{} {} in row {}: {figure}", format::count(group.count), group.part, group.row))
    }

    /// The picture in words.
    pub fn about(&self, units: Units) -> String {
        let rows = format::things(self.plan.rows.len() as u32, "row", "rows");
        let racks = format::things(self.racks(), "rack", "racks");
        let coloured = match (self.measure, self.scale()) {
            (Measure::Kind, _) => "coloured by what they are for".to_owned(),
            (measure, None) => format!("without a figure for {}", measure.words().to_lowercase()),
            (measure, Some(Scale { low, high })) => format!(
                "coloured by {} from {} to {}",
                measure.words().to_lowercase(),
                measure.figure(units, low),
                measure.figure(units, high)
            ),
        };
        format!("Hall {} in 3D: {racks} in {rows}, {coloured}.", self.name)
    }

    /// It with a theme and a selection, as it is handed over to be drawn.
    pub fn scene(&self, colours: Colours, selected: &[Place]) -> Scene {
        let plan = &self.plan;
        let racks = plan.rows.iter().flat_map(|row| row.groups.iter().map(|group| self.run(row, group))).collect();
        let strip = |aisle: &sim::floor::Aisle| Strip { y_m: aisle.y_m, width_m: aisle.width_m, cold: aisle.cold };
        let busway = |row: &RowPlan| {
            let last = row.groups.last()?;
            let to_m = last.x_m + last.rack_width_m * f64::from(last.count);
            Some(Line { from_m: row.groups.first()?.x_m, to_m, y_m: row.y_m + row.depth_m / 2.0 })
        };
        let pipe = |aisle: &sim::floor::Aisle| Line {
            from_m: 0.6,
            to_m: plan.length_m - 0.6,
            y_m: aisle.y_m + aisle.width_m / 2.0,
        };
        Scene {
            length_m: plan.length_m,
            width_m: plan.width_m,
            racks,
            aisles: plan.aisles.iter().map(strip).collect(),
            columns: plan.columns.iter().map(|&(x_m, y_m)| Pillar { x_m, y_m, side_m: plan.column_m }).collect(),
            busways: plan.rows.iter().filter_map(busway).collect(),
            pipes: plan.aisles.iter().filter(|aisle| self.wet && !aisle.cold).map(pipe).collect(),
            scale: self.scale(),
            colours,
            selected: selected.iter().map(ToString::to_string).collect(),
        }
    }

    fn run(&self, row: &RowPlan, group: &GroupPlan) -> RackRun {
        let place = Place::Rack(self.at, row.row, group.group);
        let known = self.groups.iter().find(|known| known.place == place);
        let paint = match (self.measure, known.map(|known| known.found)) {
            (Measure::Kind, _) => group.kind.map_or(Paint::Missing, |kind| Paint::Kind(kind_index(kind))),
            (_, Some(Ok(value))) => Paint::Value(value),
            (_, Some(Err(_)) | None) => Paint::Missing,
        };
        RackRun {
            id: place.to_string(),
            x_m: group.x_m,
            // Racks shallower than the row's deepest stand with their fronts in line.
            y_m: if row.faces_near { row.y_m } else { row.y_m + row.depth_m - group.rack_depth_m },
            width_m: group.rack_width_m,
            depth_m: group.rack_depth_m,
            height_m: known.map_or(USUAL_HEIGHT_M, |known| known.height_m),
            count: group.count.min(MOST_ALIKE),
            faces_near: row.faces_near,
            paint,
        }
    }
}

/// Kinds of rack in the order of their colours, each with its word.
pub const KINDS: [(RackKind, &str); 4] = [
    (RackKind::Compute, "compute"),
    (RackKind::Network, "network"),
    (RackKind::Storage, "storage"),
    (RackKind::Cabinet, "cabinet"),
];

fn kind_index(kind: RackKind) -> usize {
    KINDS.iter().position(|(each, _)| *each == kind).unwrap_or_default()
}

/// A word for what a rack is for.
pub fn kind_name(kind: Option<RackKind>) -> &'static str {
    kind.map_or("unknown", |kind| KINDS[kind_index(kind)].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_have_names_of_their_own() {
        for measure in Measure::ALL {
            assert_eq!(Measure::ALL.iter().filter(|each| each.name() == measure.name()).count(), 1);
        }
        assert_eq!(kind_name(None), "unknown");
        assert_eq!(kind_name(Some(RackKind::Storage)), "storage");
    }

    #[test]
    fn a_hall_is_shown_rack_by_rack_with_what_is_unknown_said_so() {
        let design: Design = serde_json::from_str(
            r#"{"name":"D","location":"phoenix-az","contract_power_w":1e6,"hall":[{"name":"A","positions":40,"fed_by":"b","air":"c",
                "row":[{"name":"1","count":3,"rack":[{"part":"wide","count":4},{"part":"other","count":1}]}]}]}"#,
        )
        .unwrap();
        let answer = Answer { site: None, evaluation: model::report::Evaluation::default() };
        let shown = hall(&design, &Catalog::default(), &answer, 0, Measure::Provisioned).unwrap();
        assert_eq!((shown.racks(), shown.scale()), (15, None));
        assert_eq!(shown.missing(), ["unknown while the design does not add up"]);
        let scene = shown.scene(Colours::default(), &[Place::Rack(0, 0, 1)]);
        assert_eq!((scene.racks.len(), scene.aisles.len(), scene.busways.len()), (6, 2, 3));
        assert_eq!(scene.selected, ["hall/0/row/0/rack/1"]);
        assert!(scene.racks.iter().all(|run| run.paint == Paint::Missing));
        assert_eq!(hall(&design, &Catalog::default(), &answer, 1, Measure::Kind), None);
    }
}
