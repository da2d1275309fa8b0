//! The browser's bundle and what lies beside it are embedded in a release build, so a change to them builds it again.

fn main() {
    for folder in ["../target/site/pkg", "../style", "../public"] {
        if std::path::Path::new(folder).exists() {
            println!("cargo:rerun-if-changed={folder}");
        }
    }
}
