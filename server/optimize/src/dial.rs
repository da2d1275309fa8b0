//! Tokens of a megawatt against the power limit, and one contract filled with boards under theirs.

use crate::base::Base;
use model::optimum::{Choice, DialPoint, Envelope, Filled};
use model::quantity::Power;
use model::site::Site;
use sim::serving::draw::ERROR as POWER_ERROR;
use sim::steering::pilot::CURVE_ERROR;

impl Base {
    /// Each power limit that is tried: tokens of a facility megawatt with racks as drawn, and the racks that the plant
    /// then carries, by halving, as more never ask less of anything.
    pub fn dial(&self, choices: &crate::Choices) -> Vec<DialPoint> {
        let mut bench = self.bench();
        let drawn = self.drawn_choice();
        let at = |cap_w: f64| {
            let own = bench.point(&Choice { cap_w, ..drawn });
            let (mut fits, mut over) = (0, choices.racks.len());
            let mut most = None;
            while fits < over {
                let middle = usize::midpoint(fits, over);
                let point = bench.point(&Choice { racks: choices.racks[middle], cap_w, ..drawn });
                if point.is_feasible() {
                    (fits, most) = (middle + 1, Some(point));
                } else {
                    over = middle;
                }
            }
            let per_mw = own.tokens_per_joule * 1e6;
            DialPoint {
                cap_w,
                tokens_per_s_per_mw: per_mw,
                low: per_mw * own.band[0],
                high: per_mw * own.band[1],
                racks: most.as_ref().map_or(0, |point| point.choice.racks),
                output_tokens_per_s: most.map_or(0.0, |point| point.output_tokens_per_s),
            }
        };
        choices.caps_w.iter().copied().map(at).collect()
    }

    /// The contract filled with racks as they come and with racks under the power limit that makes most tokens of it.
    ///
    /// The whole design is scaled, plant, network and all, so that power alone is short: kW of a GPU = facility draw on the
    /// hottest hour with everything busy / GPUs, and GPUs = contract / that, in whole racks. *Label* and *capped* count what
    /// racks could draw: their provisioned power, which for a capped rack has the limit of each board in it, times what the
    /// facility adds to each watt of IT. *Drawn* counts what they do draw. Tokens are the serving model's under the limit.
    pub fn envelope(&self, choices: &crate::Choices) -> Option<Envelope> {
        let contract = self.drawn().contract_power;
        let most_w = choices.caps_w.last().copied()?;
        let at = |cap_w: f64, served: &mut sim::Served| self.unheld(cap_w, served);
        let mut served = sim::Served::default();
        let label = at(most_w, &mut served);
        let best = choices.caps_w.iter().map(|cap| at(*cap, &mut served)).max_by(|a, b| {
            let worth = |each: &Unheld| each.tokens_per_gpu / each.provisioned_kw;
            worth(a).total_cmp(&worth(b))
        })?;
        let fill = |each: &Unheld, kw: f64| each.filled(contract, kw);
        let (labelled, capped) = (fill(&label, label.provisioned_kw), fill(&best, best.provisioned_kw));
        if labelled.output_tokens_per_s <= 0.0 {
            return None;
        }
        let ratio = |factor: f64, curve: f64| {
            let mut served = sim::Served::drawing(factor);
            let (few, many) = (at(most_w, &mut served), at(best.cap_w, &mut served));
            let of = |each: &Unheld, filled: &Filled| f64::from(filled.gpus) * each.tokens_per_gpu;
            of(&many, &capped) * curve / of(&few, &labelled).max(1e-9)
        };
        let value = ratio(1.0, 1.0);
        // Errors are taken as independent: roots of the sums of squares of what each does alone.
        let power = [ratio(1.0 - POWER_ERROR, 1.0), ratio(1.0 + POWER_ERROR, 1.0)];
        let end = |side: fn(f64, f64) -> f64, curve: f64| {
            let (draws, curve) = (power.into_iter().fold(value, side) - value, value * curve - value);
            (draws * draws + curve * curve).sqrt()
        };
        Some(Envelope {
            power_mw: contract.as_megawatts(),
            drawn: fill(&label, label.drawn_kw),
            gpus_ratio: f64::from(capped.gpus) / f64::from(labelled.gpus.max(1)),
            tokens_ratio: value,
            tokens_band: [value - end(f64::min, 1.0 - CURVE_ERROR), value + end(f64::max, 1.0 + CURVE_ERROR)],
            label: labelled,
            capped,
        })
    }

    /// The design as drawn under a power limit, with nothing to hold it back.
    fn unheld(&self, cap_w: f64, served: &mut sim::Served) -> Unheld {
        let (mut site, _) = self.site(&Choice { cap_w, ..self.drawn_choice() });
        site.contract_power = Power::from_megawatts(1e6);
        let found = sim::evaluate_with(&site, served);
        let gpus = f64::from(found.gpus.max(1));
        // What the facility adds to each watt of IT on the hottest hour; IT draws the same then.
        let adds = found.peak_power_mw / found.it_power_mw.max(1e-9);
        Unheld {
            cap_w,
            gpus_per_rack: gpus / f64::from(self.drawn_choice().racks.max(1)),
            tokens_per_gpu: found.output_tokens_per_s / gpus,
            drawn_kw: found.peak_power_mw * 1e3 / gpus,
            provisioned_kw: provisioned_mw(&site) * adds * 1e3 / gpus,
        }
    }
}

/// What all racks of a site could draw, MW.
fn provisioned_mw(site: &Site) -> f64 {
    site.racks.iter().map(|class| (class.provisioned() * class.count).as_megawatts()).sum()
}

/// One GPU of a design that nothing holds back.
struct Unheld {
    cap_w: f64,
    gpus_per_rack: f64,
    tokens_per_gpu: f64,
    /// Facility draw on the hottest hour, kW.
    drawn_kw: f64,
    /// The same with every rack at what it could draw, kW.
    provisioned_kw: f64,
}

impl Unheld {
    /// As many whole racks as a contract has room for at so many kW of a GPU.
    fn filled(&self, contract: Power, kw_per_gpu: f64) -> Filled {
        let racks = (contract.as_megawatts() * 1e3 / kw_per_gpu.max(1e-9) / self.gpus_per_rack + 1e-9).floor();
        let gpus = racks * self.gpus_per_rack;
        Filled {
            cap_w: self.cap_w,
            racks: racks as u32,
            gpus: gpus as u32,
            kw_per_gpu,
            output_tokens_per_s: gpus * self.tokens_per_gpu,
            drawn_mw: gpus * self.drawn_kw / 1e3,
        }
    }
}
