//! The fleet in plain numbers: what each class of racks draws and makes at a share of its full work.

use crate::power::group_loss_w;
use crate::serving::{self, Capped, Margin, Point, Refusal, Work};
use model::part::Gpu;
use model::quantity::Power;
use model::report::ServingPoint;
use model::site::{RackClass, Shelf, Site, SiteService};

/// Lengths of requests that the fleet is prepared for, tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lengths {
    /// Mean prompt.
    pub input: f64,
    /// Mean answer.
    pub output: f64,
}

impl Lengths {
    /// Those of the site's service.
    pub fn of(site: &Site) -> Self {
        Self { input: site.service.input_tokens, output: site.service.output_tokens }
    }
}

/// What one rack of a class does with everything busy, before heat or the contract hold anything back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RackFigures {
    /// Power into it, W.
    pub drawn_w: f64,
    /// Output tokens per second; none for a rack without GPUs or whose GPUs can't serve the model.
    pub output_tokens_per_s: Option<f64>,
}

/// What one rack of each class does, in the order of [`Site::racks`].
pub fn rack_figures(site: &Site) -> Vec<RackFigures> {
    let (classes, _) = classes(site, Lengths::of(site), &mut Served::default());
    let of_one = |class: &Class| RackFigures {
        drawn_w: class.draw(1.0, 1.0).it_w / class.count.max(1.0),
        output_tokens_per_s: class.compute.as_ref().map(|compute| compute.capacity() / class.count.max(1.0)),
    };
    classes.iter().map(of_one).collect()
}

/// Racks alike, ready for the step loop. Powers are of all of them together.
#[derive(Debug, Clone)]
pub(crate) struct Class {
    pub(crate) fed_by: usize,
    pub(crate) liquid: Option<usize>,
    pub(crate) air: usize,
    pub(crate) liquid_fraction: f64,
    count: f64,
    overhead_idle_w: f64,
    overhead_busy_w: f64,
    shelf: Option<Shelf>,
    pub(crate) compute: Option<Compute>,
}

/// The GPUs of a class.
#[derive(Debug, Clone)]
pub(crate) struct Compute {
    pub(crate) gpus: f64,
    pub(crate) idle_w: f64,
    pub(crate) capped: Capped,
    pub(crate) point: Point,
    gpu: Gpu,
    /// Output tokens per second of one GPU at full work, under its cap.
    pub(crate) rate_per_gpu: f64,
    /// Throughput over uncapped at evenly spaced powers from idle to capped: the best that less power can make.
    best: [f64; BEST_POINTS],
}

impl Compute {
    /// The board's own limit, W.
    pub(crate) fn board_w(&self) -> f64 {
        self.gpu.board_power.as_watts()
    }
}

/// Points of the table of what less power can make.
const BEST_POINTS: usize = 33;

/// What a class draws and makes.
#[expect(clippy::struct_field_names, reason = "watts is the unit, and every power in plain numbers carries it")]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Drawn {
    pub(crate) it_w: f64,
    pub(crate) gpu_w: f64,
    pub(crate) shelf_loss_w: f64,
}

impl Compute {
    /// Output tokens per second of all its GPUs at full work.
    pub(crate) fn capacity(&self) -> f64 {
        self.gpus * self.rate_per_gpu
    }

    /// Mean board power at a share of full work, W.
    pub(crate) fn power_w(&self, share: f64) -> f64 {
        self.idle_w + (self.capped.power_w - self.idle_w) * share
    }

    /// Share of full work that a mean board power can make at best.
    pub(crate) fn best_share(&self, power_w: f64) -> f64 {
        let span = self.capped.power_w - self.idle_w;
        if span <= 0.0 {
            return 1.0;
        }
        let at = ((power_w - self.idle_w) / span).clamp(0.0, 1.0) * (BEST_POINTS - 1) as f64;
        let low = (at as usize).min(BEST_POINTS - 2);
        let part = at - low as f64;
        (self.best[low] + (self.best[low + 1] - self.best[low]) * part).min(1.0)
    }
}

impl Class {
    /// Draw at a share of full work, and a share of the dynamic power that is allowed.
    pub(crate) fn draw(&self, share: f64, allowed: f64) -> Drawn {
        let work = share * allowed;
        let gpu_w = self.compute.as_ref().map_or(0.0, |c| c.gpus * c.power_w(work));
        let overhead = self.overhead_idle_w + (self.overhead_busy_w - self.overhead_idle_w) * work;
        let inside = gpu_w + overhead;
        let shelf_loss_w = self
            .shelf
            .map_or(0.0, |shelf| group_loss_w(&shelf.loss, shelf.rated_power.as_watts() * self.count, inside));
        Drawn { it_w: inside + shelf_loss_w, gpu_w, shelf_loss_w }
    }
}

/// How GPUs serve, once worked out: finding the best batch is most of an instant evaluation, and does not depend on how many
/// racks there are, on water or on the power tree.
#[derive(Debug, Clone, Default)]
pub struct Served {
    /// For which service and lengths.
    of: Option<(SiteService, Lengths)>,
    /// By GPU, size of the scale-up domain and power limit.
    found: Vec<(Gpu, u32, Power, Result<Compute, Refusal>)>,
    /// Draw of boards at work over what the model says, less one.
    more_draw: f64,
}

impl Served {
    /// Of boards that draw `factor` times what the model says, at work and before their limit: an end of its error band.
    pub fn drawing(factor: f64) -> Self {
        Self { more_draw: factor - 1.0, ..Self::default() }
    }

    /// What a class's GPUs do; none where it has none.
    fn compute(&mut self, rack: &RackClass, work: &Work<'_>) -> Option<Result<Compute, Refusal>> {
        let gpu = rack.gpu.as_ref().filter(|_| rack.gpus > 0)?;
        let same = |(own, domain, cap, _): &&(Gpu, u32, Power, Result<Compute, Refusal>)| {
            own == gpu && *domain == rack.domain_gpus && *cap == rack.power_cap
        };
        let known = self.found.iter().find(same).map(|(.., compute)| compute.clone());
        let compute = known.unwrap_or_else(|| {
            let compute = compute(gpu, rack, work, 1.0 + self.more_draw);
            self.found.push((gpu.clone(), rack.domain_gpus, rack.power_cap, compute.clone()));
            compute
        });
        let gpus = f64::from(rack.gpus) * f64::from(rack.count);
        Some(compute.map(|compute| Compute { gpus, ..compute }))
    }

    /// Forgets what was worked out for another service.
    fn begin(&mut self, site: &Site, lengths: Lengths) {
        if self.of.as_ref().is_none_or(|(service, own)| *service != site.service || *own != lengths) {
            let more_draw = self.more_draw;
            *self = Self { of: Some((site.service.clone(), lengths)), found: Vec::new(), more_draw };
        }
    }
}

/// The fleet of a site for requests of these lengths. Classes that can't serve say why, and draw their idle power.
pub(crate) fn classes(site: &Site, lengths: Lengths, served: &mut Served) -> (Vec<Class>, Vec<(usize, Refusal)>) {
    let mut refusals = Vec::new();
    served.begin(site, lengths);
    let work = work(site, lengths);
    let classes = site
        .racks
        .iter()
        .enumerate()
        .map(|(at, rack)| {
            let compute = match served.compute(rack, &work) {
                None => None,
                Some(Ok(compute)) => Some(compute),
                Some(Err(why)) => {
                    refusals.push((at, why));
                    None
                }
            };
            let count = f64::from(rack.count);
            // GPUs that can't serve still idle.
            let unused = if compute.is_none() {
                rack.gpu.as_ref().map_or(Power::ZERO, |gpu| gpu.idle_power * rack.gpus).as_watts()
            } else {
                0.0
            };
            Class {
                fed_by: rack.fed_by as usize,
                liquid: rack.liquid.map(|l| l as usize),
                air: rack.air as usize,
                liquid_fraction: rack.liquid_fraction.as_fraction(),
                count,
                overhead_idle_w: (rack.overhead_idle.as_watts() + unused) * count,
                overhead_busy_w: (rack.overhead_busy.as_watts() + unused) * count,
                shelf: rack.shelf,
                compute,
            }
        })
        .collect();
    (classes, refusals)
}

fn work(site: &Site, lengths: Lengths) -> Work<'_> {
    let service = &site.service;
    Work {
        model: &service.model,
        precision: service.precision,
        prefill_tokens: lengths.input * (1.0 - service.prefix_cache_hit.as_fraction()),
        context_tokens: lengths.input,
        output_tokens: lengths.output,
        ttft: service.ttft,
        tpot: service.tpot,
    }
}

/// Searches for a batch whose times stay within the targets under a power limit, before it is told that there is none.
const TARGET_ROUNDS: u32 = 8;

/// The best point that meets the targets under the rack's power limit: what a limit slows must be prepared for less time.
/// Boards at work draw `draw` times what the model says.
fn within_targets(gpu: &Gpu, rack: &RackClass, work: &Work<'_>, draw: f64) -> Result<(Point, Capped), Refusal> {
    let mut asked = *work;
    let mut missed = Refusal::TargetsMissed { ttft_s: 0.0, tpot_s: 0.0 };
    for _ in 0..TARGET_ROUNDS {
        let found = serving::best_point(gpu, rack.domain_gpus, &asked)?;
        let (prefill_power, decode_power) = (found.prefill_power * draw, found.decode_power * draw);
        let point = Point { prefill_power, decode_power, ..found };
        let capped = serving::capped(gpu, &point, rack.power_cap.as_watts());
        let (ttft_s, tpot_s) = (point.ttft_s / capped.throughput, point.tpot_s / capped.throughput);
        if ttft_s <= work.ttft.as_seconds() * (1.0 + 1e-9) && tpot_s <= work.tpot.as_seconds() * (1.0 + 1e-9) {
            return Ok((point, capped));
        }
        missed = Refusal::TargetsMissed { ttft_s, tpot_s };
        asked.ttft = (work.ttft * capped.throughput).min(asked.ttft * TIGHTER);
        asked.tpot = (work.tpot * capped.throughput).min(asked.tpot * TIGHTER);
    }
    Err(missed)
}

/// By how much at least a target is tightened each time, so that the search comes to an end.
const TIGHTER: f64 = 0.995;

fn compute(gpu: &Gpu, rack: &RackClass, work: &Work<'_>, draw: f64) -> Result<Compute, Refusal> {
    within_targets(gpu, rack, work, draw).map(|(point, capped)| {
        let idle_w = gpu.idle_power.as_watts().min(capped.power_w);
        let mut best = [1.0; BEST_POINTS];
        let best_at = serving::best_at_power(gpu, &point, capped.uncapped_w);
        for (i, value) in best.iter_mut().enumerate().take(BEST_POINTS - 1) {
            let share = i as f64 / (BEST_POINTS - 1) as f64;
            let power_w = idle_w + (capped.power_w - idle_w) * share;
            let reached = best_at(power_w);
            // Working part of the time at the cap itself is always open.
            *value = (reached / capped.throughput.max(1e-12)).clamp(share, 1.0);
        }
        let mut highest = 0.0_f64;
        for value in &mut best {
            highest = highest.max(*value);
            *value = highest;
        }
        Compute {
            gpus: f64::from(rack.gpus) * f64::from(rack.count),
            idle_w,
            capped,
            point,
            gpu: gpu.clone(),
            rate_per_gpu: point.tokens_per_s_per_gpu * capped.throughput,
            best,
        }
    })
}

/// How each kind of GPU serves at full work, for reports; kinds alike are added up.
pub(crate) fn serving_points(site: &Site, classes: &[Class]) -> Vec<ServingPoint> {
    let mut points: Vec<ServingPoint> = Vec::new();
    for (rack, class) in site.racks.iter().zip(classes) {
        let Some(compute) = &class.compute else { continue };
        let found = ServingPoint {
            gpu: compute.gpu.name.clone(),
            gpus: rack.gpus * rack.count,
            gpus_per_replica: compute.point.gpus,
            batch: compute.point.batch,
            ttft_ms: compute.point.ttft_s / compute.capped.throughput * 1e3,
            tpot_ms: compute.point.tpot_s / compute.capped.throughput * 1e3,
            output_tokens_per_s_per_gpu: compute.rate_per_gpu,
            prefill_share: compute.point.prefill_share,
            gpu_power_w: compute.capped.power_w,
            power_cap_w: rack.power_cap.as_watts(),
            bound_by: compute.point.bound.name().to_owned(),
        };
        let same = points.iter_mut().find(|p| {
            let capped_alike = (p.power_cap_w - found.power_cap_w).abs() < 1e-9;
            p.gpu == found.gpu && capped_alike && p.gpus_per_replica == found.gpus_per_replica
        });
        match same {
            Some(point) => point.gpus = point.gpus.saturating_add(found.gpus),
            None => points.push(found),
        }
    }
    points
}

/// Margin of the fleet's tokens per second and of its energy per token together, weighted by tokens.
pub(crate) fn margin(site: &Site, classes: &[Class]) -> Margin {
    let (mut below, mut above, mut all) = (0.0, 0.0, 0.0);
    for (rack, class) in site.racks.iter().zip(classes) {
        let Some(compute) = &class.compute else { continue };
        let margin = serving::margin(&compute.gpu, rack.domain_gpus, &site.service.model);
        below += compute.capacity() * margin.below;
        above += compute.capacity() * margin.above;
        all += compute.capacity();
    }
    let with_power = |weighted: f64| {
        let tokens = if all > 0.0 { weighted / all } else { 0.0 };
        libm::sqrt(tokens * tokens + crate::board::POWER_ERROR * crate::board::POWER_ERROR)
    };
    Margin { below: with_power(below), above: with_power(above) }
}
