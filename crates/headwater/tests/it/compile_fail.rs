//! The usual mistakes do not compile, and the compiler says what to do. The programs are in `tests/compile_fail`; what
//! must be said stands in them behind `//~`.

use std::path::Path;
use std::process::Command;

#[test]
fn the_usual_mistakes_are_explained() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail");
    // The dependencies of the workspace, which are on the machine already.
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::copy(workspace.join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
    let mut programs: Vec<_> =
        std::fs::read_dir(package.join("src/bin")).unwrap().map(|entry| entry.unwrap().path()).collect();
    programs.sort();
    assert!(programs.len() >= 8, "the programs are there");
    for program in programs {
        let name = program.file_stem().unwrap().to_str().unwrap();
        let source = std::fs::read_to_string(&program).unwrap();
        let wanted: Vec<&str> = source.lines().filter_map(|line| line.strip_prefix("//~ ")).collect();
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile_fail");
        let out = Command::new(env!("CARGO"))
            .args(["check", "--quiet", "--offline", "--bin", name])
            .current_dir(&package)
            .env("CARGO_TARGET_DIR", target)
            .env_remove("RUSTFLAGS")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(!out.status.success(), "{name} compiles");
        assert!(!wanted.is_empty(), "{name} does not say what it wants");
        for part in wanted {
            assert!(said.contains(part), "{name}: the compiler does not say {part:?} but:\n{said}");
        }
    }
}
