//! Every package must take the workspace's lints: one that does not could hold unsafe code that no check would see.

pub(crate) fn check(file: &str, manifest: &str) -> Option<String> {
    let mut lines = manifest.lines().map(str::trim);
    if !lines.clone().any(|line| line == "[package]") {
        return None;
    }
    let takes_them = lines.any(|line| line == "[lints]") && lines.next() == Some("workspace = true");
    (!takes_them).then(|| format!("{file}: take the workspace's lints: [lints], and below it workspace = true"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_takes_the_lints_and_a_workspace_need_not() {
        assert_eq!(check("a/Cargo.toml", "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n"), None);
        assert_eq!(check("Cargo.toml", "[workspace]\n"), None);
        assert!(check("a/Cargo.toml", "[package]\nname = \"a\"\n").unwrap().starts_with("a/Cargo.toml: take"));
        assert!(check("a/Cargo.toml", "[package]\n[lints.rust]\nworkspace = true\n").is_some());
    }
}
