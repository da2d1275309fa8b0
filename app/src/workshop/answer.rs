//! What the engine says of a design: at once for every stroke, and the year a moment later.

use model::catalog::Catalog;
use model::design::Design;
use model::report::Evaluation;
use model::site::Site;
use std::sync::Arc;

/// The instant answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The design resolved; none where it does not add up, and the notes say why.
    pub site: Option<Arc<Site>>,
    /// What it does at full work; of one that does not add up, its notes alone.
    pub evaluation: Evaluation,
}

/// Resolves and evaluates a design.
pub fn answer(design: &Design, catalog: &Catalog) -> Answer {
    match sim::resolve(design, catalog) {
        Ok(site) => Answer { evaluation: sim::evaluate(&site), site: Some(Arc::new(site)) },
        Err(notes) => {
            let contract_power_mw = design.contract_power.as_megawatts();
            let evaluation =
                Evaluation { design: design.name.clone(), contract_power_mw, notes, ..Evaluation::default() };
            Answer { site: None, evaluation }
        }
    }
}
