//! A design evaluated at every combination of what is varied: choices of what is drawn, and what it serves, where and on what.

use crate::base::{Base, Choices, Unfit};
use crate::search::optimize;
use model::catalog::Catalog;
use model::design::{Design, Precision, Redundancy};
use model::id::{LocationId, ModelId, PartId};
use model::optimum::{Choice, Goal, Point};
use model::quantity::{Power, Ratio, Span};
use model::sweep::{SweepAsk, SweepRow, Vary};
use std::ops::Range;

/// What may be varied, with what its values are.
pub const FIELDS: [(&str, &str); 14] = [
    ("racks", "racks with GPUs, a whole number"),
    ("cap", "power limit of each GPU, W"),
    ("water", "water to racks with liquid cooling, °C"),
    ("redundancy", "of groups drawn with units to spare: n, n+1, 2n or 3n/2"),
    ("rack", "rack that stands in for every rack with GPUs, by its catalog name, or all"),
    ("model", "language model, by its catalog name, or all"),
    ("precision", "number format: bf16, fp8, fp4 or int4, or all"),
    ("place", "where it stands, by its catalog name, or all"),
    ("contract", "power of the utility contract, MW"),
    ("input", "mean prompt, tokens"),
    ("output", "mean answer, tokens"),
    ("cache", "share of prompt tokens found in the prefix cache, 0 to 1"),
    ("ttft", "longest mean time to the first token, ms"),
    ("tpot", "longest mean time between tokens, ms"),
];

/// One value of a field.
#[derive(Debug, Clone)]
enum Value {
    Racks(u32),
    Cap(f64),
    Water(f64),
    Redundancy(Redundancy),
    Rack(PartId),
    Model(ModelId),
    Precision(Precision),
    Place(LocationId),
    Contract(f64),
    Input(f64),
    Output(f64),
    Cache(f64),
    Ttft(f64),
    Tpot(f64),
}

impl Value {
    /// A value of a field, as it was written.
    fn read(field: &str, text: &str) -> Result<Self, String> {
        let number = |least: f64, most: f64| {
            let value = text.parse::<f64>().ok().filter(|value| (least..=most).contains(value));
            value.ok_or_else(|| format!("{field}: \"{text}\" is no number between {least} and {most}"))
        };
        let name = || format!("{field}: \"{text}\" is no name of a catalog row");
        Ok(match field {
            "racks" => {
                let racks = text.parse::<u32>().ok().filter(|racks| (1..=1_000_000).contains(racks));
                Self::Racks(racks.ok_or_else(|| format!("racks: \"{text}\" is no whole number from 1 to 1,000,000"))?)
            }
            "cap" => Self::Cap(number(1.0, 1e5)?),
            "water" => Self::Water(number(1.0, 90.0)?),
            "redundancy" => {
                let found = Redundancy::ALL.into_iter().find(|(name, _)| *name == text);
                let (_, redundancy) =
                    found.ok_or_else(|| format!("redundancy: \"{text}\" is none of n, n+1, 2n, 3n/2"))?;
                Self::Redundancy(redundancy)
            }
            "rack" => Self::Rack(text.parse().map_err(|_| name())?),
            "model" => Self::Model(text.parse().map_err(|_| name())?),
            "precision" => {
                let format = Precision::ALL.into_iter().find(|format| format.name() == text);
                Self::Precision(format.ok_or_else(|| format!("precision: \"{text}\" is none of bf16, fp8, fp4, int4"))?)
            }
            "place" => Self::Place(text.parse().map_err(|_| name())?),
            "contract" => Self::Contract(number(1e-6, 1e5)?),
            "input" => Self::Input(number(1.0, 1e7)?),
            "output" => Self::Output(number(1.0, 1e7)?),
            "cache" => Self::Cache(number(0.0, 1.0)?),
            "ttft" => Self::Ttft(number(0.001, 1e7)?),
            "tpot" => Self::Tpot(number(0.001, 1e6)?),
            _ => {
                let near = sim::nearest::nearest(field, FIELDS.iter().map(|(name, _)| *name));
                let hint = near.first().map(|name| format!(": did you mean {name}?")).unwrap_or_default();
                let names = FIELDS.map(|(name, _)| name).join(", ");
                return Err(format!("there is nothing to vary called \"{field}\"{hint}; there are {names}"));
            }
        })
    }

    /// Whether it is a choice of what is drawn, and leaves the design itself.
    fn is_choice(&self) -> bool {
        matches!(self, Self::Racks(_) | Self::Cap(_) | Self::Water(_) | Self::Redundancy(_))
    }

    /// Puts it into a design; why that can't be. Choices are none of a design's.
    fn put(&self, design: &mut Design, catalog: &Catalog) -> Result<(), String> {
        let service = &mut design.service;
        match self {
            Self::Racks(_) | Self::Cap(_) | Self::Water(_) | Self::Redundancy(_) => {}
            Self::Rack(part) => return stand_in(design, catalog, part),
            Self::Model(model) => service.model = model.clone(),
            Self::Precision(precision) => service.precision = *precision,
            Self::Place(place) => design.location = place.clone(),
            Self::Contract(megawatts) => design.contract_power = Power::from_megawatts(*megawatts),
            Self::Input(tokens) => service.input_tokens = *tokens,
            Self::Output(tokens) => service.output_tokens = *tokens,
            Self::Cache(share) => service.prefix_cache_hit = Ratio::from_fraction(*share),
            Self::Ttft(ms) => service.ttft = Span::from_seconds(ms / 1e3),
            Self::Tpot(ms) => service.tpot = Span::from_seconds(ms / 1e3),
        }
        Ok(())
    }

    /// The only one of its kind that is chosen from.
    fn narrow(&self, choices: &mut Choices) {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the others are of the design")]
        match self {
            Self::Racks(racks) => choices.racks = vec![*racks],
            Self::Cap(cap_w) => choices.caps_w = vec![*cap_w],
            Self::Water(c) => choices.supplies_c = vec![Some(*c)],
            Self::Redundancy(redundancy) => choices.redundancies = vec![Some(*redundancy)],
            _ => {}
        }
    }
}

/// Every rack with GPUs becomes one of another part, as that part comes.
fn stand_in(design: &mut Design, catalog: &Catalog, part: &PartId) -> Result<(), String> {
    if design.parts.rack(part).or_else(|| catalog.rack(part)).is_none() {
        return Err(format!("there is no rack \"{part}\" in the catalog"));
    }
    let parts = design.parts.clone();
    for group in design.halls.iter_mut().flat_map(|hall| &mut hall.rows).flat_map(|row| &mut row.racks) {
        let Some(rack) = parts.rack(&group.part).or_else(|| catalog.rack(&group.part)) else { continue };
        let has_gpus = group.all_trays(rack).any(|(tray, _)| {
            parts.tray(tray).or_else(|| catalog.tray(tray)).is_some_and(|tray| tray.gpu.is_some() && tray.gpu_count > 0)
        });
        if has_gpus {
            (group.part, group.trays, group.power_cap) = (part.clone(), Vec::new(), None);
        }
    }
    design.service.power_cap = None;
    Ok(())
}

/// A sweep that can be made: every value understood.
#[derive(Debug, Clone)]
pub struct Sweep<'a> {
    design: &'a Design,
    catalog: &'a Catalog,
    ask: SweepAsk,
    values: Vec<Vec<Value>>,
}

impl<'a> Sweep<'a> {
    /// Of a design.
    ///
    /// # Errors
    /// In words, where a field or a value is none, a field is named twice, or there is nothing to vary.
    pub fn new(design: &'a Design, catalog: &'a Catalog, ask: &SweepAsk) -> Result<Self, String> {
        let mut ask = ask.clone();
        if ask.vary.is_empty() {
            return Err("nothing is varied".to_owned());
        }
        for (at, vary) in ask.vary.iter().enumerate() {
            if ask.vary[..at].iter().any(|other| other.field == vary.field) {
                return Err(format!("{} is varied twice", vary.field));
            }
            if vary.values.is_empty() {
                return Err(format!("{} has no values", vary.field));
            }
        }
        for vary in &mut ask.vary {
            if vary.values == ["all"] {
                vary.values = all(catalog, &vary.field)?;
            }
        }
        // Choices last, and so fastest: what is of the design is then worked out once for all of them.
        let is_choice = |vary: &Vary| Value::read(&vary.field, &vary.values[0]).is_ok_and(|value| value.is_choice());
        ask.vary.sort_by_key(is_choice);
        let read = |vary: &Vary| vary.values.iter().map(|text| Value::read(&vary.field, text)).collect();
        let values = ask.vary.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { design, catalog, ask, values })
    }

    /// What is asked, with every value named and the fields in the order of the rows.
    pub fn ask(&self) -> &SweepAsk {
        &self.ask
    }

    /// Combinations; none where they are more than can be counted.
    pub fn count(&self) -> Option<usize> {
        self.values.iter().try_fold(1_usize, |count, values| count.checked_mul(values.len()))
    }

    /// Rows of a range of combinations, the last field fastest: the same rows whatever ranges they are made in.
    pub fn rows(&self, range: Range<usize>) -> Vec<SweepRow> {
        let mut rows = Vec::with_capacity(range.len());
        let inner: usize = self.choices().map(Vec::len).product();
        let mut at = range.start;
        while at < range.end {
            let end = ((at / inner + 1) * inner).min(range.end);
            self.of_design(at..end, inner, &mut rows);
            at = end;
        }
        rows
    }

    fn choices(&self) -> impl Iterator<Item = &Vec<Value>> {
        self.values.iter().filter(|values| values[0].is_choice())
    }

    /// Rows that share all but choices.
    fn of_design(&self, range: Range<usize>, inner: usize, rows: &mut Vec<SweepRow>) {
        let places = self.places(range.start);
        let base = self.base(&places);
        let mut bench = base.as_ref().ok().map(Base::bench);
        let all = base.as_ref().ok().map(Base::choices);
        debug_assert!(range.end <= (range.start / inner + 1) * inner, "one design alone");
        for at in range {
            let places = self.places(at);
            let values = places.iter().zip(&self.ask.vary).map(|(at, vary)| vary.values[*at].clone()).collect();
            let found = match (&base, &mut bench, &all) {
                (Ok(base), Some(bench), Some(all)) => self.point(base, bench, all, &places),
                (Err(why), ..) => Err(why.clone()),
                (Ok(_), ..) => continue,
            };
            let (point, why) = match found {
                Ok(point) => (Some(point), None),
                Err(why) => (None, Some(why)),
            };
            rows.push(SweepRow { values, point, why });
        }
    }

    /// Which value of each field a combination has.
    fn places(&self, at: usize) -> Vec<usize> {
        let mut rest = at;
        let mut places = vec![0; self.values.len()];
        for (place, values) in places.iter_mut().zip(&self.values).rev() {
            (*place, rest) = (rest % values.len(), rest / values.len());
        }
        places
    }

    fn chosen<'b>(&'b self, places: &'b [usize]) -> impl Iterator<Item = &'b Value> {
        places.iter().zip(&self.values).map(|(at, values)| &values[*at])
    }

    fn base(&self, places: &[usize]) -> Result<Base, String> {
        let mut design = self.design.clone();
        for value in self.chosen(places) {
            value.put(&mut design, self.catalog)?;
        }
        Base::new(&design, self.catalog, self.ask.limits).map_err(|unfit| match unfit {
            Unfit::Notes(notes) => notes.first().map_or("it does not add up".to_owned(), ToString::to_string),
            Unfit::NoGpus => "it has no racks with GPUs".to_owned(),
        })
    }

    fn point(
        &self,
        base: &Base,
        bench: &mut crate::point::Bench<'_>,
        all: &Choices,
        places: &[usize],
    ) -> Result<Point, String> {
        let drawn = base.drawn_choice();
        let mut choices = match self.ask.goal {
            Some(_) => all.clone(),
            None => Choices {
                racks: vec![drawn.racks],
                caps_w: vec![drawn.cap_w],
                supplies_c: vec![drawn.supply_c],
                redundancies: vec![None],
            },
        };
        self.chosen(places).for_each(|value| value.narrow(&mut choices));
        // No board takes a limit above its own, nor one below its least.
        let least = all.caps_w.first().copied().unwrap_or(0.0);
        let most = all.caps_w.last().copied().unwrap_or(f64::INFINITY);
        if choices.caps_w.iter().all(|cap| *cap < least) {
            return Err(format!("boards here take no limit under {least:.0} W"));
        }
        choices.caps_w.iter_mut().for_each(|cap| *cap = cap.min(most));
        let only = Choice {
            racks: choices.racks[0],
            cap_w: choices.caps_w[0],
            supply_c: choices.supplies_c[0],
            redundancy: choices.redundancies[0],
        };
        match self.ask.goal {
            Some(goal) if choices.count() > 1 => optimize(base, &choices, goal, &[])
                .best
                .ok_or_else(|| "nothing can be run within the limits".to_owned()),
            _ => Ok(bench.point(&only)),
        }
    }
}

/// Every value of a field that has a list of them.
fn all(catalog: &Catalog, field: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = match field {
        "rack" => {
            let with_gpus = |rack: &&model::part::Rack| {
                let gpus =
                    |tray: &PartId| catalog.tray(tray).is_some_and(|tray| tray.gpu.is_some() && tray.gpu_count > 0);
                rack.trays.iter().any(|several| gpus(&several.part))
            };
            catalog.racks.iter().filter(with_gpus).map(|rack| rack.id.to_string()).collect()
        }
        "model" => catalog.models.iter().map(|model| model.id.to_string()).collect(),
        "place" => catalog.locations.iter().map(|place| place.id.to_string()).collect(),
        "precision" => Precision::ALL.map(|format| format.name().to_owned()).to_vec(),
        _ => return Err(format!("{field} has no list of which all could be taken")),
    };
    Ok(names)
}

/// The best rows first, by a goal; those that can't be run all year after those that can, those without a facility last.
pub fn ranked(rows: &[SweepRow], goal: Goal) -> Vec<&SweepRow> {
    let mut ranked: Vec<&SweepRow> = rows.iter().collect();
    let place = |row: &SweepRow| match &row.point {
        Some(point) if point.is_feasible() => (0, goal.worth(point)),
        Some(point) => (1, goal.worth(point)),
        None => (2, 0.0),
    };
    ranked.sort_by(|a, b| {
        let (a, b) = (place(a), place(b));
        a.0.cmp(&b.0).then(b.1.total_cmp(&a.1))
    });
    ranked
}

/// Rows that can be run all year and that none beats in every goal at once, by the first goal from the best.
pub fn undominated(rows: &[SweepRow], goals: &[Goal]) -> Vec<SweepRow> {
    let own = |row: &SweepRow| row.point.clone().filter(Point::is_feasible);
    let kept = crate::frontier(rows.iter().filter_map(own).collect(), goals);
    let of = |point: &Point| rows.iter().find(|row| row.point.as_ref() == Some(point)).cloned();
    kept.iter().filter_map(of).collect()
}
