//! How many switches a pod needs: the port arithmetic of folded Clos networks, checked against published tables.
//!
//! A leaf gives half its ports to GPUs and half to spines, so that nothing is oversubscribed. Then
//!
//! - leaves = GPU ports / (radix / 2);
//! - two tiers reach `radix` leaves of a plane. Spines are the fewest that both carry all uplinks
//!   (`leaves · (radix / 2) / radix`) and share each leaf's uplinks evenly, that is, divide `radix / 2`;
//! - beyond, three tiers: a spine for each leaf, half its ports down and half up, and
//!   `spines · (radix / 2) / radix` cores.

/// The pods whose compute network is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FabricKind {
    /// DGX B200 SuperPOD: 32 nodes a scalable unit, one 400 Gb/s port a GPU, switches of 64 such ports.
    B200,
    /// DGX B300 SuperPOD on a DC busbar: 64 nodes a unit, 800 Gb/s a GPU as two planes of 400 Gb/s, switches of
    /// 64 ports of 800 Gb/s split in two: 128 ports.
    B300,
    /// DGX B300 SuperPOD with XDR InfiniBand: 72 nodes a unit, one 800 Gb/s port a GPU, switches of 144 such ports.
    B300Xdr,
}

/// A pod's compute network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fabric {
    /// Servers of eight GPUs.
    pub nodes: u32,
    /// GPUs.
    pub gpus: u32,
    /// Switches that GPUs plug into.
    pub leaf: u32,
    /// Switches that join leaves.
    pub spine: u32,
    /// Switches that join spines; 0 where two tiers are enough.
    pub core: u32,
}

/// Ports and planes of a kind of pod.
struct Ports {
    nodes_per_unit: u32,
    planes: u32,
    radix: u32,
}

const fn ports(kind: FabricKind) -> Ports {
    match kind {
        FabricKind::B200 => Ports { nodes_per_unit: 32, planes: 1, radix: 64 },
        FabricKind::B300 => Ports { nodes_per_unit: 64, planes: 2, radix: 128 },
        FabricKind::B300Xdr => Ports { nodes_per_unit: 72, planes: 1, radix: 144 },
    }
}

const GPUS_PER_NODE: u32 = 8;

/// The compute network of so many scalable units, not oversubscribed.
///
/// leaf, spine and core as in the module's header, for each plane, times the planes.
/// Source: DGX SuperPOD reference architectures for B200, B300 and B300 with XDR, tables of switch counts.
pub fn fabric(kind: FabricKind, scalable_units: u32) -> Fabric {
    let Ports { nodes_per_unit, planes, radix } = ports(kind);
    let half = radix / 2;
    let nodes = nodes_per_unit.saturating_mul(scalable_units);
    let gpus = nodes.saturating_mul(GPUS_PER_NODE);
    let leaf = gpus.div_ceil(half);
    let needed = leaf.div_ceil(2); // leaf · half / radix
    let (spine, core) = if leaf <= radix { (even_share(half, needed), 0) } else { (leaf, needed) };
    Fabric {
        nodes,
        gpus,
        leaf: leaf.saturating_mul(planes),
        spine: spine.saturating_mul(planes),
        core: core.saturating_mul(planes),
    }
}

/// The least divisor of `uplinks` that is no less than `needed`; `uplinks` itself if `needed` exceeds it; 0 for 0.
fn even_share(uplinks: u32, needed: u32) -> u32 {
    if needed == 0 {
        return 0;
    }
    (needed..=uplinks).find(|spines| uplinks.is_multiple_of(*spines)).unwrap_or(uplinks)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Units, nodes, GPUs, leaf, spine, core.
    fn agrees(kind: FabricKind, rows: &[(u32, u32, u32, u32, u32, u32)]) {
        for &(units, nodes, gpus, leaf, spine, core) in rows {
            assert_eq!(fabric(kind, units), Fabric { nodes, gpus, leaf, spine, core }, "{kind:?}, {units} units");
        }
    }

    #[test]
    fn agrees_with_the_b200_table() {
        agrees(
            FabricKind::B200,
            &[(8, 256, 2048, 64, 32, 0), (16, 512, 4096, 128, 128, 64), (64, 2048, 16384, 512, 512, 256)],
        );
    }

    #[test]
    fn agrees_with_the_b300_table() {
        agrees(
            FabricKind::B300,
            &[
                (1, 64, 512, 16, 8, 0),
                (2, 128, 1024, 32, 16, 0),
                (4, 256, 2048, 64, 32, 0),
                (8, 512, 4096, 128, 64, 0),
                (16, 1024, 8192, 256, 128, 0),
            ],
        );
    }

    #[test]
    fn agrees_with_the_b300_xdr_table() {
        agrees(
            FabricKind::B300Xdr,
            &[
                (1, 72, 576, 8, 4, 0),
                (2, 144, 1152, 16, 8, 0),
                (4, 288, 2304, 32, 18, 0), // 16 would carry it, but do not divide 72 uplinks
                (8, 576, 4608, 64, 36, 0),
                (18, 1296, 10368, 144, 72, 0),
            ],
        );
    }

    #[test]
    fn nothing_needs_nothing_and_too_much_does_not_overflow() {
        assert_eq!(fabric(FabricKind::B200, 0), Fabric::default());
        assert_eq!(fabric(FabricKind::B300, u32::MAX).nodes, u32::MAX);
    }

    #[test]
    fn law_no_leaf_and_no_spine_has_more_links_than_ports() {
        for kind in [FabricKind::B200, FabricKind::B300, FabricKind::B300Xdr] {
            let Ports { planes, radix, .. } = ports(kind);
            for units in 1..200 {
                let f = fabric(kind, units);
                let (leaf, spine) = (f.leaf / planes, f.spine / planes);
                assert!(leaf * (radix / 2) * planes >= f.gpus * planes, "{kind:?} {units}: GPUs without a port");
                let up = leaf * (radix / 2);
                if f.core == 0 {
                    assert!(up <= spine * radix, "{kind:?} {units}: uplinks without a spine port");
                } else {
                    assert!(up <= spine * (radix / 2), "{kind:?} {units}: uplinks without a spine port");
                    assert!(spine * (radix / 2) <= f.core / planes * radix, "{kind:?} {units}: core ports");
                }
            }
        }
    }
}
