//! One file for each page. Each opens with the question that it answers.

pub mod catalog;
pub mod compare;
pub mod design;
pub mod designs;
pub mod glossary;
pub mod home;
pub mod new;
pub mod report;
pub mod run;
pub mod runs;
