//! Whose stride ends first: a tournament of replicas.

/// When each replica is due, and the first of them.
pub(super) struct Due {
    times: Vec<f64>,
    /// Winners: node n plays nodes 2n and 2n + 1; the leaves are the replicas.
    winners: Vec<u32>,
    leaves: usize,
}

impl Due {
    /// Nobody is due.
    pub(super) fn new(replicas: usize) -> Self {
        let leaves = replicas.max(1).next_power_of_two();
        let mut winners = vec![0; 2 * leaves];
        for node in (1..2 * leaves).rev() {
            winners[node] = if node >= leaves { (node - leaves) as u32 } else { winners[2 * node] };
        }
        Self { times: vec![f64::INFINITY; leaves], winners, leaves }
    }

    /// The first: when, and who. Of two at once the one of lower number.
    pub(super) fn first(&self) -> (f64, usize) {
        let who = self.winners[1] as usize;
        (self.times[who], who)
    }

    /// A replica is due then; never at infinity.
    pub(super) fn set(&mut self, replica: usize, at: f64) {
        self.times[replica] = at;
        let mut node = usize::midpoint(self.leaves, replica);
        while node > 0 {
            let (a, b) = (self.winners[2 * node], self.winners[2 * node + 1]);
            let winner = if self.times[b as usize] < self.times[a as usize] { b } else { a };
            if winner == self.winners[node] && winner as usize != replica {
                return; // it lost here before, and does so still: nothing above has changed
            }
            self.winners[node] = winner;
            node /= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn law_the_first_is_the_least(moves in proptest::collection::vec((0_usize..9, 0_u32..20), 1..100)) {
            let mut due = Due::new(9);
            let mut times = [f64::INFINITY; 9];
            for (replica, at) in moves {
                times[replica] = if at == 0 { f64::INFINITY } else { f64::from(at) };
                due.set(replica, times[replica]);
                let least = times.iter().copied().fold(f64::INFINITY, f64::min);
                let first = times.iter().position(|time| *time <= least).unwrap();
                prop_assert!(due.first() == (least, first) || least.is_infinite() && due.first().0.is_infinite());
            }
        }
    }

    #[test]
    fn the_first_is_first() {
        let mut due = Due::new(5);
        assert!(due.first().0.is_infinite());
        for (replica, at) in [(3, 2.0), (1, 4.0), (4, 2.0), (0, 9.0)] {
            due.set(replica, at);
        }
        let mut order = Vec::new();
        while due.first().0.is_finite() {
            let (_, who) = due.first();
            order.push(who);
            due.set(who, f64::INFINITY);
        }
        assert_eq!(order, [3, 4, 1, 0]);
        let mut one = Due::new(1);
        one.set(0, 1.0);
        assert_eq!(one.first(), (1.0, 0));
    }
}
