//! Links in the documents to files of the checkout must lead somewhere.

/// Complains of each link whose file is absent; `exists` answers for a path relative to the root.
pub(crate) fn check(file: &str, text: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut in_code = false;
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            let dead = targets(line).into_iter().filter(|target| {
                let path = target.split('#').next().unwrap_or_default();
                !path.is_empty() && !leads_outside(target) && !resolve(file, path).is_some_and(|path| exists(&path))
            });
            complaints.extend(dead.map(|target| format!("{file}:{}: the link to {target} leads nowhere", at + 1)));
        }
    }
    complaints
}

/// What stands between `](` and `)`, outside of inline code; a title in quotes is cut off.
fn targets(line: &str) -> Vec<&str> {
    let prose = line.split('`').step_by(2);
    let opened = prose.flat_map(|text| text.split("](").skip(1));
    let targets = opened.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    targets.filter_map(|target| target.split_whitespace().next()).collect()
}

/// Web and mail addresses; whether those answer is not for a check that must work offline.
fn leads_outside(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:")
}

/// The target as a path from the root: relative to the document's folder, or to the root if it begins with a slash.
/// `None` if it leaves the checkout.
fn resolve(file: &str, target: &str) -> Option<String> {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let full = if target.starts_with('/') { target.to_string() } else { format!("{folder}/{target}") };
    let mut parts = Vec::new();
    for part in full.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(file: &str, text: &str) -> Vec<String> {
        check(file, text, |path| ["README.md", "docs/guide.md", "docs"].contains(&path))
    }

    #[test]
    fn links_are_followed_from_the_folder_of_their_document() {
        assert_eq!(complaints("README.md", "[a](docs/guide.md) and [b](docs/guide.md#top \"t\")"), [""; 0]);
        assert_eq!(complaints("docs/guide.md", "[a](../README.md) [b](guide.md) [c](/README.md) [d](.)"), [""; 0]);
        assert_eq!(
            complaints("docs/guide.md", "\n[a](README.md)"),
            ["docs/guide.md:2: the link to README.md leads nowhere"]
        );
        assert_eq!(
            complaints("README.md", "[![shot](docs/ui.png)](docs)"),
            ["README.md:1: the link to docs/ui.png leads nowhere"]
        );
        assert_eq!(complaints("README.md", "[a](../README.md)").len(), 1);
    }

    #[test]
    fn the_web_anchors_and_code_are_left_alone() {
        let text = "[a](https://example.org/x) [b](#here) `[c](none.md)`\n```\n[d](none.md)\n```\n";
        assert_eq!(complaints("README.md", text), [""; 0]);
    }
}
