//! What a job makes of a power cap: tokens and watts of one GPU, from the serving model and the fitted curve of work against
//! cap.

use crate::board::Phase;
use crate::serving::draw;
use serde::Serialize;

/// What one GPU of a job draws and makes at full work.
///
/// Prompts and answers take turns; each draws its own power and, under a cap below that, slows by its own curve
/// ([`CapCurve`](crate::board::CapCurve)). Their times add.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Work {
    /// Board power in prompts without any cap, watts.
    pub prefill_w: f64,
    /// The same in answers.
    pub decode_w: f64,
    /// Share of time in prompts, at the board's own limit.
    pub prefill_share: f64,
    /// Board power with no work.
    pub idle_w: f64,
    /// The board's own limit: where speed is 1.
    pub board_w: f64,
    /// Output tokens a second of one GPU there.
    pub tokens_per_s: f64,
}

/// What a cap leaves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Capped {
    /// Throughput over that at the board's own limit.
    pub speed: f64,
    /// Mean board power at full work, watts.
    pub power_w: f64,
}

/// Steps of the search for the most efficient cap; between them tokens for a joule differ by less than a thousandth.
const CAP_STEPS: u32 = 200;

impl Work {
    /// Under a cap, at full work.
    pub fn capped(&self, cap_w: f64) -> Capped {
        let (prefill_w, prefill_speed) = draw::under(Phase::Prefill, self.prefill_w, self.board_w, cap_w);
        let (decode_w, decode_speed) = draw::under(Phase::Decode, self.decode_w, self.board_w, cap_w);
        let time = |share: f64, speed: f64| {
            if share <= 0.0 {
                0.0
            } else if speed > 0.0 {
                share / speed
            } else {
                f64::INFINITY
            }
        };
        let prefill_time = time(self.prefill_share, prefill_speed);
        let decode_time = time(1.0 - self.prefill_share, decode_speed);
        let speed = 1.0 / (prefill_time + decode_time);
        let power_w = if speed > 0.0 { (prefill_w * prefill_time + decode_w * decode_time) * speed } else { cap_w };
        Capped { speed, power_w }
    }

    /// Output tokens a second of one GPU under a cap, at full work.
    pub fn tokens_at(&self, cap_w: f64) -> f64 {
        self.tokens_per_s * self.capped(cap_w).speed
    }

    /// The most that it draws in any phase, within the board's own limit: a cap above changes nothing.
    pub fn most_w(&self) -> f64 {
        let answers = if self.prefill_share < 1.0 { self.decode_w } else { 0.0 };
        let prompts = if self.prefill_share > 0.0 { self.prefill_w } else { 0.0 };
        f64::max(answers, prompts).min(self.board_w)
    }

    /// Mean board power at full work with no cap but the board's own, watts: what the job sustains.
    pub fn sustained_w(&self) -> f64 {
        self.capped(self.board_w).power_w
    }

    /// The cap within `bounds` with most tokens for a joule of the GPU and the `beside_w` watts that stand beside it.
    pub fn efficient_cap_w(&self, (least_w, most_w): (f64, f64), beside_w: f64) -> f64 {
        let worth = |cap: f64| self.tokens_at(cap) / (self.capped(cap).power_w + beside_w).max(1e-9);
        let caps = (0..=CAP_STEPS).map(|step| least_w + (most_w - least_w) * f64::from(step) / f64::from(CAP_STEPS));
        // Of caps worth the same (above all that it draws), the lowest: it provisions least.
        caps.fold(least_w, |best, cap| if worth(cap) > worth(best) * (1.0 + 1e-12) { cap } else { best })
    }

    /// The same work, all of its draw by a factor, idle power apart: an end of the band of power.
    pub fn drawing(&self, factor: f64) -> Self {
        Self { prefill_w: self.prefill_w * factor, decode_w: self.decode_w * factor, ..*self }
    }
}

/// A job like those whose work against cap was measured: all of one phase at the board's own limit.
pub fn of_one_phase(phase: Phase, board_w: f64, idle_w: f64, tokens_per_s: f64) -> Work {
    let prefill_share = match phase {
        Phase::Prefill => 1.0,
        Phase::Decode => 0.0,
    };
    Work { prefill_w: board_w, decode_w: board_w, prefill_share, idle_w, board_w, tokens_per_s }
}
