//! GPUs that stand together: by hall, rack, node, tenant or model; and what a group comes to, as the table has it.

use super::words;
use model::fleet::{FleetNode, FleetPlace, Health};
use std::collections::BTreeMap;
use std::ops::Range;

/// What GPUs stand together by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Group {
    /// The hall.
    Hall,
    /// The rack.
    #[default]
    Rack,
    /// The host.
    Node,
    /// Whose work it does.
    Tenant,
    /// The GPUs' model.
    Model,
}

impl Group {
    /// In the order of the choice.
    pub const ALL: [Self; 5] = [Self::Hall, Self::Rack, Self::Node, Self::Tenant, Self::Model];

    /// As the address has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hall => "hall",
            Self::Rack => "rack",
            Self::Node => "node",
            Self::Tenant => "tenant",
            Self::Model => "model",
        }
    }
    /// On its choice, and as the head of a column.
    pub fn words(self) -> &'static str {
        match self {
            Self::Hall => "Hall",
            Self::Rack => "Rack",
            Self::Node => "Node (host)",
            Self::Tenant => "Tenant",
            Self::Model => "GPU model",
        }
    }
    /// What a group of this kind is split into.
    pub fn inner(self) -> Self {
        match self {
            Self::Hall | Self::Tenant | Self::Model => Self::Rack,
            Self::Rack | Self::Node => Self::Node,
        }
    }
    /// What stands where nobody said.
    fn unnamed(self) -> &'static str {
        match self {
            Self::Hall => "no hall told",
            Self::Rack => "no rack told",
            Self::Node => "no name told",
            Self::Tenant => "no tenant told",
            Self::Model => "no model told",
        }
    }
    fn of(self, node: &FleetNode) -> &str {
        match self {
            Self::Hall => &node.hall,
            Self::Rack => &node.rack,
            Self::Node => &node.host,
            Self::Tenant => &node.tenant,
            Self::Model => &node.model,
        }
    }
    /// The page of a group, where it is a place.
    fn place(self, name: &str) -> Option<FleetPlace> {
        let of = match self {
            Self::Hall => FleetPlace::Hall,
            Self::Rack => FleetPlace::Rack,
            Self::Node => FleetPlace::Node,
            Self::Tenant | Self::Model => return None,
        };
        (!name.is_empty()).then(|| of(name.to_owned()))
    }
}

/// GPUs that stand together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What it is called, as nothing else here is; empty names are said to be missing.
    pub name: String,
    /// What narrows the fleet down to it.
    pub only: String,
    /// Its page.
    pub place: Option<FleetPlace>,
    /// Positions of the GPUs of each of its nodes.
    pub nodes: Vec<Range<u32>>,
}

impl Block {
    /// How many GPUs it has.
    pub fn gpus(&self) -> u32 {
        self.nodes.iter().map(|node| node.end - node.start).sum()
    }
    /// Their positions, node by node.
    pub fn positions(&self) -> impl Iterator<Item = u32> {
        self.nodes.iter().cloned().flatten()
    }
}

/// Where the GPUs of each node begin among those of all, and where the last one ends.
pub fn starts(nodes: &[FleetNode]) -> Vec<u32> {
    let mut next = 0_u32;
    let mut starts = vec![0];
    for node in nodes {
        next = next.saturating_add(node.gpus);
        starts.push(next);
    }
    starts
}

/// The node of a GPU, and which of its GPUs that is.
pub fn gpu_at(starts: &[u32], position: u32) -> Option<(usize, u32)> {
    let node = starts.partition_point(|start| *start <= position).checked_sub(1)?;
    let start = starts.get(node)?;
    // What the last one begins is behind all nodes.
    (node + 1 < starts.len()).then(|| (node, position - start))
}

/// The page of a GPU.
pub fn gpu_place(nodes: &[FleetNode], starts: &[u32], position: u32) -> Option<FleetPlace> {
    let (node, gpu) = gpu_at(starts, position)?;
    Some(nodes.get(node)?.gpu(gpu))
}

/// Whether a node is meant: by one whole name, as in `rack:A1`, or because each of the words is in one of its names.
pub fn is_meant(node: &FleetNode, only: &str) -> bool {
    let whole = only.split_once(':').and_then(|(kind, name)| {
        Group::ALL.into_iter().find(|group| group.name() == kind).map(|group| group.of(node) == name)
    });
    if let Some(is_it) = whole {
        return is_it;
    }
    let names = [&node.host, &node.rack, &node.hall, &node.tenant, &node.model].map(|name| name.to_lowercase());
    only.to_lowercase().split_whitespace().all(|word| names.iter().any(|name| name.contains(word)))
}

/// The groups of the nodes that are meant. Places come as the fleet has them, tenants and models by name.
pub fn blocks(nodes: &[FleetNode], group: Group, only: &str) -> Vec<Block> {
    let starts = starts(nodes);
    let mut blocks: Vec<Block> = Vec::new();
    let mut known: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let meant = nodes.iter().enumerate().filter(|(_, node)| node.gpus > 0 && is_meant(node, only));
    for (at, node) in meant {
        let name = group.of(node);
        // Halls may have racks of the same name.
        let key = (name, if group == Group::Rack { node.hall.as_str() } else { "" });
        let block = *known.entry(key).or_insert_with(|| {
            let shown = if name.is_empty() { group.unnamed() } else { name };
            let only = format!("{}:{name}", group.name());
            blocks.push(Block { name: shown.to_owned(), only, place: group.place(name), nodes: Vec::new() });
            blocks.len() - 1
        });
        if let (Some(block), Some(start)) = (blocks.get_mut(block), starts.get(at)) {
            block.nodes.push(*start..start + node.gpus);
        }
    }
    tell_apart(&mut blocks, &known);
    if matches!(group, Group::Tenant | Group::Model) {
        blocks.sort_by(|left, right| left.name.cmp(&right.name));
    }
    blocks
}

/// Racks of one name are told apart by their halls.
fn tell_apart(blocks: &mut [Block], known: &BTreeMap<(&str, &str), usize>) {
    for (((name, hall), block), next) in known.iter().zip(known.keys().skip(1).map(Some).chain([None])) {
        let before = known.range(..(*name, *hall)).next_back().map(|(key, _)| key);
        let is_twin = |other: Option<&(&str, &str)>| other.is_some_and(|(other, _)| other == name);
        if (is_twin(next) || is_twin(before))
            && let Some(block) = blocks.get_mut(*block)
        {
            block.name = format!("{} ({})", block.name, if hall.is_empty() { Group::Hall.unnamed() } else { hall });
        }
    }
}

/// What a group comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it is called.
    pub name: String,
    /// What narrows the fleet down to it.
    pub only: String,
    /// Its page.
    pub place: Option<FleetPlace>,
    /// GPUs in it.
    pub gpus: u32,
    /// How many are so, in the order of [`words::HEALTHS`].
    pub counts: [u32; 7],
    /// The worst state in it.
    pub worst: Health,
    /// GPUs that were read.
    pub read: u32,
    /// The least, mean and greatest value; none where nothing was read.
    pub values: Option<(f64, f64, f64)>,
}

/// What each group comes to, the worst first: by its worst GPU, by how many there are of it, by its greatest value.
pub fn rows(blocks: &[Block], values: &[Option<f64>], health: &[Health]) -> Vec<Row> {
    let mut rows: Vec<Row> = blocks.iter().map(|block| row(block, values, health)).collect();
    let worst_count = |row: &Row| {
        let at = words::HEALTHS.iter().position(|health| *health == row.worst).unwrap_or_default();
        row.counts.get(at).copied().unwrap_or_default()
    };
    let greatest = |row: &Row| row.values.map_or(f64::NEG_INFINITY, |(_, _, greatest)| greatest);
    rows.sort_by(|left, right| {
        (right.worst, worst_count(right))
            .cmp(&(left.worst, worst_count(left)))
            .then_with(|| greatest(right).total_cmp(&greatest(left)))
    });
    rows
}

fn row(block: &Block, values: &[Option<f64>], health: &[Health]) -> Row {
    let mut row = Row {
        name: block.name.clone(),
        only: block.only.clone(),
        place: block.place.clone(),
        gpus: block.gpus(),
        counts: [0; 7],
        worst: Health::Busy,
        read: 0,
        values: None,
    };
    let mut sum = 0.0;
    for position in block.positions() {
        let is = health.get(position as usize).copied().unwrap_or(Health::Stale);
        row.worst = row.worst.max(is);
        if let Some(count) = words::HEALTHS.iter().position(|each| *each == is).and_then(|at| row.counts.get_mut(at)) {
            *count += 1;
        }
        if let Some(value) = values.get(position as usize).copied().flatten().filter(|value| value.is_finite()) {
            row.read += 1;
            sum += value;
            let (low, _, high) = row.values.unwrap_or((value, 0.0, value));
            row.values = Some((low.min(value), sum / f64::from(row.read), high.max(value)));
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn node(host: &str, rack: &str, hall: &str, tenant: &str, gpus: u32) -> FleetNode {
        let [host, rack, hall, tenant] = [host, rack, hall, tenant].map(str::to_owned);
        FleetNode { host, rack, hall, tenant, model: "NVIDIA GB200".into(), gpus, names: Vec::new() }
    }

    fn fleet() -> Vec<FleetNode> {
        vec![
            node("n1", "A1", "Hall A", "red", 4),
            node("n2", "A1", "Hall A", "blue", 4),
            node("n3", "A2", "Hall A", "blue", 8),
            node("n4", "A1", "Hall B", "", 2),
        ]
    }

    #[test]
    fn racks_of_two_halls_are_two() {
        let blocks = blocks(&fleet(), Group::Rack, "");
        let seen: Vec<(&str, u32)> = blocks.iter().map(|block| (block.name.as_str(), block.gpus())).collect();
        assert_eq!(seen, [("A1 (Hall A)", 8), ("A2", 8), ("A1 (Hall B)", 2)]);
        assert_eq!(blocks[0].place, Some(FleetPlace::Rack("A1".into())));
    }

    #[test]
    fn tenants_stand_by_name_and_who_has_none_is_said_so() {
        let blocks = blocks(&fleet(), Group::Tenant, "");
        let names: Vec<&str> = blocks.iter().map(|block| block.name.as_str()).collect();
        assert_eq!(names, ["blue", "no tenant told", "red"]);
        assert_eq!(blocks[1].place, None);
        assert_eq!(blocks[0].positions().collect::<Vec<_>>(), (4..16).collect::<Vec<u32>>());
    }

    #[test]
    fn words_narrow_it_down() {
        assert_eq!(blocks(&fleet(), Group::Node, "hall blue").len(), 2);
        assert_eq!(blocks(&fleet(), Group::Node, "N3").len(), 1);
        assert_eq!(blocks(&fleet(), Group::Node, "hall:Hall A").len(), 3);
        assert_eq!(blocks(&fleet(), Group::Node, "hall:Hall").len(), 0);
        assert_eq!(blocks(&fleet(), Group::Node, "tenant:").len(), 1);
        assert!(blocks(&fleet(), Group::Node, "moon").is_empty());
    }

    #[test]
    fn a_gpu_knows_its_page() {
        let nodes = fleet();
        let starts = starts(&nodes);
        assert_eq!(gpu_place(&nodes, &starts, 5), Some(FleetPlace::Gpu("n2".into(), "1".into())));
        assert_eq!(gpu_place(&nodes, &starts, 17), Some(FleetPlace::Gpu("n4".into(), "1".into())));
        assert_eq!(gpu_place(&nodes, &starts, 18), None);
        assert_eq!(gpu_place(&[], &[0], 0), None);
    }

    #[test]
    fn the_worst_group_comes_first_and_what_was_not_read_is_absent() {
        let mut health = vec![Health::Busy; 18];
        health[17] = Health::Failed;
        let mut values = vec![Some(500.0); 18];
        values[16] = None;
        values[17] = None;
        values[8] = Some(700.0);
        let rows = rows(&blocks(&fleet(), Group::Rack, ""), &values, &health);
        let seen: Vec<(Health, u32, Option<f64>)> =
            rows.iter().map(|row| (row.worst, row.read, row.values.map(|(_, mean, _)| mean))).collect();
        assert_eq!(seen, [(Health::Failed, 0, None), (Health::Busy, 8, Some(525.0)), (Health::Busy, 8, Some(500.0))]);
        assert_eq!(rows[0].counts, [1, 0, 0, 0, 0, 0, 1]);
    }

    proptest! {
        #[test]
        fn law_every_gpu_is_in_one_group(sizes in proptest::collection::vec((0_u32..9, 0_u8..3, 0_u8..2), 0..30)) {
            let nodes: Vec<FleetNode> = sizes
                .iter()
                .enumerate()
                .map(|(at, (gpus, rack, hall))| node(&format!("n{at}"), &format!("r{rack}"), &format!("h{hall}"), &format!("t{rack}"), *gpus))
                .collect();
            let all: u32 = nodes.iter().map(|node| node.gpus).sum();
            for group in Group::ALL {
                let mut found: Vec<u32> = blocks(&nodes, group, "").iter().flat_map(|block| block.positions().collect::<Vec<_>>()).collect();
                found.sort_unstable();
                prop_assert_eq!(found, (0..all).collect::<Vec<u32>>());
            }
        }
    }
}
