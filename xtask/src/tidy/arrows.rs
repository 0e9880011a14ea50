//! Which crate may know which: the arrows of the Cargo.toml files must be those ARCHITECTURE.md shows to the reader.
//!
//! The document lists them in a block fenced as `arrows`, one to a line: `headwater-runtime -> headwater-core`.
//! Dependencies of tests (`dev-dependencies`) are no arrows: they do not bind what users compile.

use std::collections::BTreeSet;

type Arrow = (String, String);

/// `manifests` are paths and texts of all Cargo.toml files of the checkout.
pub(crate) fn check(manifests: &[(&str, String)], architecture: &str) -> Vec<String> {
    let Some(listed) = listed(architecture) else {
        return vec!["ARCHITECTURE.md: there is no block that begins with ```arrows".to_string()];
    };
    let mut complaints: Vec<String> = listed.1;
    let names: BTreeSet<String> = manifests.iter().filter_map(|(_, text)| package(text)).collect();
    let mut found = BTreeSet::new();
    for (file, text) in manifests {
        let Some(from) = package(text) else { continue };
        for to in dependencies(text).intersection(&names) {
            found.insert((from.clone(), to.clone()));
            if !listed.0.contains(&(from.clone(), to.clone())) {
                complaints.push(format!("{file}: the arrow {from} -> {to} is missing in ARCHITECTURE.md"));
            }
        }
    }
    let extra = listed.0.difference(&found);
    complaints.extend(extra.map(|(from, to)| format!("ARCHITECTURE.md: no Cargo.toml has the arrow {from} -> {to}")));
    complaints
}

/// The arrows of the document and complaints of lines that are none; `None` without such a block.
fn listed(architecture: &str) -> Option<(BTreeSet<Arrow>, Vec<String>)> {
    let mut lines = architecture.lines().skip_while(|line| line.trim() != "```arrows");
    lines.next()?;
    let (mut arrows, mut complaints) = (BTreeSet::new(), Vec::new());
    for line in lines.take_while(|line| line.trim() != "```").filter(|line| !line.trim().is_empty()) {
        match line.split_once("->") {
            Some((from, to)) => drop(arrows.insert((from.trim().to_string(), to.trim().to_string()))),
            None => complaints.push(format!("ARCHITECTURE.md: `{line}` is no arrow; write `from -> to`")),
        }
    }
    Some((arrows, complaints))
}

/// The name of the package; a manifest of a workspace alone has none.
fn package(manifest: &str) -> Option<String> {
    let entries = entries(manifest).into_iter();
    entries
        .filter(|(section, key, _)| section == "package" && key == "name")
        .map(|(_, _, value)| unquoted(&value))
        .next()
}

/// The names of all packages the manifest depends on, for every platform and feature, as other manifests spell them.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (section, key, value) in entries(manifest) {
        if is_dependencies(&section) {
            // `name.workspace = true` and `name = { package = "real-name" }` both name a package by their first word.
            let name = key.split('.').next().unwrap_or_default();
            names.insert(renamed(&value).unwrap_or_else(|| unquoted(name)));
        } else if let Some((parent, name)) = section.rsplit_once('.')
            && is_dependencies(parent)
        {
            names.insert(if key == "package" { unquoted(&value) } else { unquoted(name) });
        }
    }
    names
}

/// `dependencies`, `build-dependencies`, and both under `target.'cfg(…)'`; the workspace's shared list is no dependency.
fn is_dependencies(section: &str) -> bool {
    let last = section.rsplit('.').next().unwrap_or_default();
    (last == "dependencies" || last == "build-dependencies") && !section.starts_with("workspace")
}

/// The entries as (section, key, value), as far as our manifests go: one entry to a line, comments cut off.
fn entries(manifest: &str) -> Vec<(String, String, String)> {
    let (mut section, mut entries) = (String::new(), Vec::new());
    for line in manifest.lines().map(|line| line.split(" #").next().unwrap_or_default().trim()) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.trim().to_string();
        } else if let Some((key, value)) = line.split_once('=')
            && !line.starts_with('#')
        {
            entries.push((section.clone(), key.trim().to_string(), value.trim().to_string()));
        }
    }
    entries
}

/// The `package` in an inline table.
fn renamed(value: &str) -> Option<String> {
    let (_, rest) = value.split_once("package")?;
    Some(unquoted(rest.trim_start().strip_prefix('=')?.split([',', '}']).next()?))
}

fn unquoted(text: &str) -> String {
    text.trim().trim_matches(['"', '\'']).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE: &str = "[package]\nname = \"core\"\n[dependencies]\nmemchr.workspace = true\n";
    const RUNTIME: &str = "[package]\nname = \"runtime\" # ours\n[dependencies]\ncore.workspace = true\n\
        [dev-dependencies]\nsim = { path = \"../sim\" }\n";
    const SIM: &str = "[package]\nname = \"sim\"\n[target.'cfg(unix)'.dependencies]\n\
        kernel = { package = \"core\", path = \"../core\" }\n[build-dependencies.runtime]\npath = \"../runtime\"\n";

    fn complaints(arrows: &str) -> Vec<String> {
        let workspace = "[workspace.dependencies]\ncore = { path = \"core\" }\n";
        let manifests = [("Cargo.toml", workspace), ("core/Cargo.toml", CORE), ("runtime/Cargo.toml", RUNTIME)];
        let manifests = manifests.iter().chain(&[("sim/Cargo.toml", SIM)]);
        let manifests: Vec<_> = manifests.map(|(file, text)| (*file, text.to_string())).collect();
        check(&manifests, &format!("# Crates\n```arrows\n{arrows}```\nmore -> text\n"))
    }

    #[test]
    fn equal_arrows_pass() {
        assert_eq!(complaints("runtime -> core\nsim  -> core\n\nsim -> runtime\n"), [""; 0]);
    }

    #[test]
    fn a_missing_and_an_extra_arrow_are_named() {
        assert_eq!(
            complaints("core -> sim\nsim -> core\nsim -> runtime\nand so on\n"),
            [
                "ARCHITECTURE.md: `and so on` is no arrow; write `from -> to`",
                "runtime/Cargo.toml: the arrow runtime -> core is missing in ARCHITECTURE.md",
                "ARCHITECTURE.md: no Cargo.toml has the arrow core -> sim",
            ]
        );
    }

    #[test]
    fn a_document_without_the_block_is_told_so() {
        assert_eq!(check(&[], "# Crates\n"), ["ARCHITECTURE.md: there is no block that begins with ```arrows"]);
    }
}
