use optimize::placement::*;
#[test]
fn t() {
    let all: serde_json::Value = serde_json::from_str(include_str!("oracle/problems.json")).unwrap();
    for (at, case) in all["placement"].as_array().unwrap().iter().enumerate() {
        let problem: Problem = serde_json::from_value(case["problem"].clone()).unwrap();
        let t = std::time::Instant::now();
        let found = place(&problem, &Effort { gap: 1e-6, seconds: 10.0 });
        let mixed = problem.classes.iter().any(|c| c.positions != problem.classes[0].positions);
        match found {
            Ok(f) => println!("{at} mixed {mixed} {:?} {:?} {} of {} moved {} of {} {:?} {:?}", f.proof, f.moves_proof, f.placed_kw, case["kw"], f.moved, case["moved"], t.elapsed(), f.after),
            Err(e) => println!("{at} mixed {mixed} {e:?} {:?}", t.elapsed()),
        }
    }
}
