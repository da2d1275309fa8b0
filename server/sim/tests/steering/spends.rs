//! Ways to spend one envelope: ours is at least as good as each other, and steering keeps that up while loads come and go.

use crate::common::{Chance, Steered};
use proptest::prelude::*;
use sim::board::Phase;
use sim::steering::compare::{Job, Way, best_caps, compare};
use sim::steering::controller::{Settings, Start};
use sim::steering::plant::Trouble;
use sim::steering::policy::Allowance;
use sim::steering::tree::{Host, Level, Limit, Node, Tree};
use sim::steering::work::{Work, of_one_phase};

/// The jobs whose work against cap was measured and fitted: one of decode, two of prefill; and one between that draws less.
fn reference_jobs() -> Vec<Job> {
    let job = |name: &str, work: Work, priority: u32| Job {
        name: name.to_owned(),
        worth: 1.0 / work.tokens_per_s,
        work,
        hosts: 10,
        gpus_per_host: 8,
        fixed_w: 1_500.0,
        cap_min_w: 200.0,
        cap_max_w: 700.0,
        priority,
    };
    let mixed = Work {
        prefill_w: 560.0,
        decode_w: 420.0,
        prefill_share: 0.3,
        idle_w: 75.0,
        board_w: 700.0,
        tokens_per_s: 500.0,
    };
    vec![
        job("infer_llama_8b", of_one_phase(Phase::Decode, 700.0, 75.0, 1_000.0), 1),
        job("ft_llama_8b_dolly", of_one_phase(Phase::Prefill, 700.0, 75.0, 1_000.0), 2),
        job("pt_mpt_13b_lg", of_one_phase(Phase::Prefill, 700.0, 75.0, 300.0), 3),
        job("mixed", mixed, 0),
    ]
}

fn full_w(jobs: &[Job]) -> f64 {
    jobs.iter().map(|job| f64::from(job.hosts) * (job.fixed_w + f64::from(job.gpus_per_host) * job.cap_max_w)).sum()
}

fn check(jobs: &[Job], envelope_w: f64) -> Result<(), TestCaseError> {
    let ways = compare(jobs, envelope_w);
    let ours = ways.last().unwrap();
    prop_assert_eq!(ours.way, Way::Steered);
    for way in &ways {
        prop_assert!(way.provisioned_w <= envelope_w * (1.0 + 1e-9), "{way:?} of {envelope_w} W");
        prop_assert!(ours.worth_per_s >= way.worth_per_s, "{way:?}, ours {ours:?}");
        for (job, (cap, hosts)) in jobs.iter().zip(way.caps_w.iter().zip(&way.hosts)) {
            prop_assert!((job.cap_min_w..=job.cap_max_w).contains(cap) && *hosts <= job.hosts, "{way:?}");
        }
    }
    Ok(())
}

#[test]
fn ours_makes_more_of_the_reference_jobs_than_each_other_way() {
    let jobs = reference_jobs();
    for share in [0.5, 0.6, 0.7, 0.8, 0.9, 1.0] {
        check(&jobs, full_w(&jobs) * share).unwrap();
    }
    // With three quarters of full power: fewer hosts make a sixth less, proportional capping a quarter of a percent.
    let ways = compare(&jobs, full_w(&jobs) * 0.75);
    let ours = ways.last().unwrap();
    assert_eq!(ours.hosts, [10; 4]);
    assert!(ways[..4].iter().all(|way| ours.worth_per_s > way.worth_per_s * 1.002), "{ways:#?}");
}

fn any_job() -> impl Strategy<Value = Job> {
    let draws = (250.0..1_300.0_f64, 250.0..1_300.0_f64, 0.0..1.0_f64, 100.0..20_000.0_f64);
    let host = (1_u32..20, 1_u32..9, 0.0..2_000.0_f64, 150.0..400.0_f64, 600.0..1_200.0_f64);
    (draws, host, 0_u32..3, 0.1..10.0_f64).prop_map(|(draws, host, priority, worth)| {
        let (prefill_w, decode_w, prefill_share, tokens_per_s) = draws;
        let (hosts, gpus_per_host, fixed_w, cap_min_w, cap_max_w) = host;
        let work = Work { prefill_w, decode_w, prefill_share, idle_w: 75.0, board_w: cap_max_w, tokens_per_s };
        Job { name: "job".to_owned(), work, hosts, gpus_per_host, fixed_w, cap_min_w, cap_max_w, priority, worth }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn law_ours_is_at_least_as_good_as_each_other_way(
        jobs in proptest::collection::vec(any_job(), 1..4), share in 0.15..1.1_f64,
    ) {
        check(&jobs, full_w(&jobs) * share)?;
    }
}

/// A rack of each reference job, one limit over all.
fn tree(jobs: &[Job], envelope_w: f64) -> Tree {
    let mut nodes =
        vec![Node::lossless("domain".to_owned(), Level::FloorPdu, Limit::of_watts(envelope_w * (1.0 + 1e-9)), None)];
    let mut hosts = Vec::new();
    for job in jobs {
        for index in 0..job.hosts {
            hosts.push(Host {
                node: nodes.len() as u32,
                group: job.name.clone(),
                priority: 0,
                fixed_w: job.fixed_w,
                gpus: job.gpus_per_host,
                cap_min_w: job.cap_min_w,
                cap_max_w: job.cap_max_w,
            });
            let name = format!("{} {index}", job.name);
            nodes.push(Node::lossless(name, Level::Host, Limit::of_watts(1e5), Some(0)));
        }
    }
    Tree::new(nodes, hosts).unwrap()
}

/// Tokens of a run by worth, steered and under one cap for all, hosts at work or resting for some forty intervals at a time.
fn steered_and_uniform(share: f64, busy: f64, seed: u64) -> (f64, f64) {
    let jobs = reference_jobs();
    let envelope_w = full_w(&jobs) * share;
    let targets_w = best_caps(&jobs, &[10; 4], envelope_w);
    let of = |host: usize| host / 10;
    let tree = tree(&jobs, envelope_w);
    let allowances: Vec<Allowance> = (0..tree.hosts().len())
        .map(|host| Allowance {
            policy_w: targets_w[of(host)],
            ceiling_w: jobs[of(host)].cap_max_w,
            failsafe_w: jobs[of(host)].cap_min_w,
        })
        .collect();
    let fixed: f64 = jobs.iter().map(|job| f64::from(job.hosts) * job.fixed_w).sum();
    let uniform_w = f64::min((envelope_w - fixed) / tree.gpus() as f64, 700.0);
    let mut steered = Steered::new(&tree, &allowances, Settings::default(), Start::Joined, (Trouble::NONE, seed));
    let mut chance = Chance::of(seed);
    let mut at_work = vec![true; tree.hosts().len()];
    let (mut with, mut without) = (0.0, 0.0);
    for interval in 0..400 {
        for work in &mut at_work {
            if chance.one_in(40) {
                *work = chance.part() < busy;
            }
        }
        let load = tree.each_gpu(|host, _| if at_work[host] { jobs[of(host)].work.most_w() } else { 75.0 });
        steered.step(&load);
        let caps = steered.plant.caps_w();
        // The first intervals raise caps from where hosts join; uniform caps are there from the beginning.
        for host in (0..at_work.len()).filter(|host| at_work[*host] && interval >= 4) {
            let job = &jobs[of(host)];
            with += tree.gpus_of(host).map(|gpu| job.work.tokens_at(caps[gpu]) * job.worth).sum::<f64>();
            without += f64::from(job.gpus_per_host) * job.work.tokens_at(uniform_w) * job.worth;
        }
    }
    (with, without)
}

#[test]
fn steering_makes_no_fewer_tokens_than_uniform_caps_of_the_same_budget() {
    for share in [0.6, 0.7, 0.8, 0.9, 1.0] {
        for (busy, seed) in [(1.0, 1), (0.9, 2), (0.7, 3), (0.4, 4)] {
            let (with, without) = steered_and_uniform(share, busy, seed);
            assert!(with >= without * (1.0 - 1e-9), "budget {share}, busy {busy}: {with} steered, {without} uniform");
        }
    }
}
