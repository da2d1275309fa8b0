//! The migrations are embedded when this room is compiled, so a new one compiles it again.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
