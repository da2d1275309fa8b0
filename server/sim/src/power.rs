//! The power tree: what each level loses and carries, from the racks up to the utility.

use model::part::LossCurve;
use model::site::Site;

/// Watts a group of `units` loses while it puts out `output_w`, shared equally among them.
///
/// loss = units · rating · (a + b·x + c·x²), with x = output / (units · rating) \[1\]. Coefficients are shares of rating,
/// from each part's row. A group of no units, or of no rating, passes power without loss.
/// \[1\] The usual quadratic of transformers and converters: no-load, proportional and resistive loss; IEC 60076-1
/// and IEC 62040-3 rate the parts by points of this curve.
pub fn group_loss_w(curve: &LossCurve, installed_w: f64, output_w: f64) -> f64 {
    if installed_w <= 0.0 {
        return 0.0;
    }
    let x = output_w / installed_w;
    installed_w * (curve.a + x * (curve.b + x * curve.c))
}

/// One level, in plain numbers, ready for the step loop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) installed_w: f64,
    pub(crate) loss: LossCurve,
    pub(crate) fed_by: Option<usize>,
}

/// The tree of a site in plain numbers; parents before children.
pub(crate) fn nodes(site: &Site) -> Vec<Node> {
    site.power
        .iter()
        .map(|node| Node {
            installed_w: node.installed().as_watts(),
            loss: node.loss,
            fed_by: node.fed_by.map(|parent| parent as usize),
        })
        .collect()
}

/// Carries the loads in `output_w` up the tree: on return each entry is its node's whole output and `loss_w` its loss.
/// Returns what the utility supplies, watts.
pub(crate) fn carry(nodes: &[Node], output_w: &mut [f64], loss_w: &mut [f64]) -> f64 {
    let mut utility_w = 0.0;
    for (at, node) in nodes.iter().enumerate().rev() {
        let loss = group_loss_w(&node.loss, node.installed_w, output_w[at]);
        loss_w[at] = loss;
        let input = output_w[at] + loss;
        match node.fed_by {
            Some(parent) => output_w[parent] += input,
            None => utility_w += input,
        }
    }
    utility_w
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_adds_its_losses_on_the_way_up() {
        let loss = LossCurve { a: 0.01, b: 0.0, c: 0.02 };
        let nodes = [
            Node { installed_w: 2e6, loss, fed_by: None },
            Node { installed_w: 1e6, loss: LossCurve::default(), fed_by: Some(0) },
        ];
        let (mut output, mut lost) = ([0.0, 1e6], [0.0; 2]);
        let utility = carry(&nodes, &mut output, &mut lost);
        assert!((utility - (1e6 + 2e6 * (0.01 + 0.02 * 0.25))).abs() < 1e-6, "{utility}");
        assert!((output[0] - 1e6).abs() < 1e-9);
    }
}
