//! The measured kernels of B200 with their board power: aiconfigurator-core 0.12.0, vLLM 0.22.0 (Apache-2.0).

use crate::common::data;
use std::collections::BTreeMap;

/// Peaks of the catalog's B200 SXM: bytes a second, 16-bit and 8-bit operations a second, board watts.
const PEAKS: (f64, f64, f64, f64) = (7.7e12, 2.25e15, 4.5e15, 1000.0);

/// Number format of matrix products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Products {
    /// 16 bits.
    Wide,
    /// 8 bits.
    Narrow,
}

/// What a kernel does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Products(Products),
    Attention,
}

/// One kernel's row.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) kind: Kind,
    /// Which of the table's shapes, counted as they come.
    pub(crate) shape: usize,
    pub(crate) seconds: f64,
    /// Tokens that pass; 0 where that is not what the row is of.
    pub(crate) tokens: f64,
    /// Share of peak bandwidth and arithmetic that it reached.
    pub(crate) bandwidth: f64,
    pub(crate) arithmetic: f64,
    /// Share of board power that it drew.
    pub(crate) share: f64,
}

/// Fields of one line by the table's own names.
struct Line<'a>(BTreeMap<&'a str, &'a str>);

impl Line<'_> {
    fn text(&self, name: &str) -> &str {
        self.0[name]
    }

    fn number(&self, name: &str) -> f64 {
        self.0[name].parse().unwrap()
    }

    fn bytes_of_past(&self) -> f64 {
        if self.text("kv_cache_dtype") == "fp8" { 1.0 } else { 2.0 }
    }
}

fn table(name: &str, measured: impl Fn(&Line<'_>) -> Option<Measured>) -> Option<Vec<Measured>> {
    let (_, bytes) = data(&format!("benchmarks/b200_{name}_latency_power.csv"))?;
    let text = String::from_utf8(bytes).unwrap();
    let names: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let lines = text.lines().skip(1).map(|line| Line(names.iter().copied().zip(line.split(',')).collect()));
    Some(lines.filter_map(|line| measured(&line)).collect())
}

/// Fused experts of a millisecond and longer.
pub(crate) fn products() -> Option<Vec<Measured>> {
    products_from(1e-3)
}

/// Fused experts of at least so many seconds: reads the experts that a router without preference would touch.
pub(crate) fn products_from(least_s: f64) -> Option<Vec<Measured>> {
    let shapes = std::cell::RefCell::new(Vec::<String>::new());
    table("moe", |line| {
        let (seconds, tokens) = (line.number("latency") / 1e3, line.number("num_tokens"));
        let (bits, bytes, peak) = match line.text("moe_dtype") {
            "bfloat16" => (Products::Wide, 2.0, PEAKS.1),
            "fp8" | "fp8_block" => (Products::Narrow, 1.0, PEAKS.2),
            _ => return None,
        };
        if seconds < least_s {
            return None;
        }
        let parts = ["hidden_size", "inter_size", "num_experts"].map(|name| line.text(name));
        let mut shapes = shapes.borrow_mut();
        let shape = shapes.iter().position(|shape| *shape == parts.join(" ")).unwrap_or_else(|| {
            shapes.push(parts.join(" "));
            shapes.len() - 1
        });
        let (hidden, experts, used) = (line.number("hidden_size"), line.number("num_experts"), line.number("topk"));
        let one = 3.0 * hidden * line.number("inter_size") / line.number("moe_tp_size");
        let ways = line.number("moe_ep_size");
        let touched = experts / ways * (1.0 - libm::pow(1.0 - used / experts, tokens));
        Some(Measured {
            kind: Kind::Products(bits),
            shape,
            seconds,
            tokens,
            bandwidth: (touched * one * bytes + 4.0 * tokens * hidden) / seconds / PEAKS.0,
            arithmetic: 2.0 * one * tokens * used / ways / seconds / peak,
            share: line.number("power") / PEAKS.3,
        })
    })
}

/// Attention of decode steps to all of the past.
pub(crate) fn decode() -> Option<Vec<Measured>> {
    table("decode_attention", |line| {
        let seconds = line.number("latency") / 1e3;
        let values = 2.0 * line.number("num_key_value_heads") * line.number("head_dim");
        let read = line.number("batch_size") * line.number("step") * values * line.bytes_of_past();
        (line.text("window_size") == "0").then(|| attention(line, seconds, read / seconds / PEAKS.0))
    })
}

/// Attention of prompts in 16 bits, of a millisecond and longer and of the 8,192 tokens that engines compute in one piece at
/// most; the power of longer pieces in the table differs by a quarter among neighbours.
pub(crate) fn prompts() -> Option<Vec<Measured>> {
    table("prefill_attention", |line| {
        let seconds = line.number("latency") / 1e3;
        let run = seconds >= 1e-3 && line.number("isl") <= 8192.0;
        (run && line.text("kv_cache_dtype") == "bfloat16").then(|| attention(line, seconds, 0.0))
    })
}

fn attention(line: &Line<'_>, seconds: f64, bandwidth: f64) -> Measured {
    let share = line.number("power") / PEAKS.3;
    Measured { kind: Kind::Attention, shape: 0, seconds, tokens: 0.0, bandwidth, arithmetic: 0.0, share }
}
