//! [`Server`]: a real server of the test's own, by the scripts of the repository.

use std::process::Command;

/// Its folder has the data, and the files `pid` and `url`. It ends with this.
pub(super) struct Server {
    brand: &'static str,
    folder: String,
}

impl Server {
    pub(super) fn start(brand: &'static str, dir: &str) -> Result<Server, String> {
        let server = Server { brand, folder: format!("{dir}/server") };
        server.script("setup")?;
        server.script("start")?;
        Ok(server)
    }
    /// How to connect.
    pub(super) fn url(&self) -> String {
        self.file("url").unwrap_or_default()
    }
    /// kill -9, and another start.
    pub(super) fn kill(&self) -> Result<(), String> {
        self.run(Command::new("kill").args(["-9", &self.file("pid")?]))?;
        self.script("start")
    }
    fn file(&self, name: &str) -> Result<String, String> {
        let path = format!("{}/{name}", self.folder);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("cannot read {path}: {error}"))?;
        Ok(text.trim().to_owned())
    }
    fn script(&self, name: &str) -> Result<(), String> {
        let script = format!("{}/../../scripts/servers/{}/{name}", env!("CARGO_MANIFEST_DIR"), self.brand);
        self.run(Command::new(script).arg(&self.folder))
    }
    fn run(&self, command: &mut Command) -> Result<(), String> {
        let output = command.output().map_err(|error| format!("cannot run {command:?}: {error}"))?;
        let said = || String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(format!("{command:?} failed: {}", said())) }
    }
}
impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _stopped = self.script("stop");
    }
}
