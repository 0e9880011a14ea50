//! `cargo xtask tidy`: the house's rules that a program can check. Each check takes text and returns complaints, so that
//! its tests need no files; this file alone reads the checkout.

mod arrows;
mod files;
mod links;
mod lints;
mod migration;
mod sources;

use crate::step::root;
use std::fs;

/// What stands for each method of Spark.
const MIGRATION: &str = "docs/migration.md";

/// Prints every complaint, not only the first, so that one run shows all there is to mend.
pub(crate) fn run() -> Result<(), String> {
    let root = root();
    let files = files::below(&root)?;
    let read = |file: &str| fs::read_to_string(root.join(file)).map_err(|error| format!("cannot read {file}: {error}"));

    let (mut complaints, mut sources) = (Vec::new(), Vec::new());
    for file in files.iter().filter(|file| file.ends_with(".rs")) {
        let text = read(file)?;
        complaints.extend(sources::check(file, &text));
        if file.starts_with("crates/") && file.contains("/src/") {
            sources.push(text);
        }
    }
    for file in files.iter().filter(|file| file.ends_with(".md")) {
        complaints.extend(links::check(file, &read(file)?, |path| root.join(path).exists()));
    }
    complaints.extend(migration::check(MIGRATION, &read(MIGRATION)?, &sources));
    let mut manifests = Vec::new();
    // A package below a tests folder is what a test builds, and no part of the system.
    for file in files.iter().filter(|file| file.ends_with("Cargo.toml") && !file.contains("/tests/")) {
        manifests.push((file.as_str(), read(file)?));
    }
    complaints.extend(manifests.iter().filter_map(|(file, text)| lints::check(file, text)));
    match fs::read_to_string(root.join("ARCHITECTURE.md")) {
        Ok(architecture) => complaints.extend(arrows::check(&manifests, &architecture)),
        Err(error) => complaints.push(format!("ARCHITECTURE.md: cannot be read, and it lists the arrows: {error}")),
    }

    complaints.iter().for_each(|complaint| eprintln!("{complaint}"));
    if complaints.is_empty() { Ok(()) } else { Err(format!("complaints, see above: {}", complaints.len())) }
}
