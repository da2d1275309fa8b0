//! One file for each page. Each opens with the question that it answers.

pub mod alerts;
pub mod binding;
pub mod catalog;
pub mod compare;
pub mod design;
pub mod designs;
pub mod events;
pub mod facility;
pub mod fleet;
pub mod fleet_place;
pub mod fleet_report;
pub mod glossary;
pub mod home;
pub mod models;
pub mod new;
pub mod replay;
pub mod replays;
pub mod report;
pub mod run;
pub mod runs;
pub mod serving;
pub mod sources;
pub mod workloads;
