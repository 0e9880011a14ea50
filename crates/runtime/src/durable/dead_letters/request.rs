//! [`LetterRequest`]: what somebody outside asks of the program that runs on a folder, or runs there next: a file of its own
//! in the folder. It names letters by their numbers, which are never given twice, so that it can be carried out twice.

use super::super::event::{from_bytes, to_bytes};
use super::super::numbers::Numbers;
use headwater_core::env::Storage;
use headwater_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// Requests that may wait; one more is refused.
const REQUESTS_MAX: usize = 1000;

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(in super::super) struct LetterRequest {
    /// These go through their operators once more.
    #[serde(default)]
    pub(in super::super) redrive: Numbers,
    /// These go.
    #[serde(default)]
    pub(in super::super) drop: Numbers,
}

/// Where requests are, in the folder of dead letters.
fn requests(folder: &str) -> String {
    format!("{folder}/requests")
}

impl LetterRequest {
    /// Leaves it in the folder.
    pub(in super::super) fn leave(&self, storage: &dyn Storage, folder: &str) -> Result<()> {
        let (names, bytes) = (names(storage, folder)?, to_bytes(self));
        if names.len() >= REQUESTS_MAX {
            return Err(Error::new(
                ErrorKind::Resources,
                format!(
                    "{REQUESTS_MAX} requests wait in {}, the limit: start the program, which carries them out",
                    requests(folder)
                ),
            ));
        }
        let newest = names.last().and_then(|name| name.parse::<u64>().ok()).unwrap_or(0);
        for number in newest + 1.. {
            if storage.put_new(&format!("{}/{number:020}", requests(folder)), &bytes)? {
                break;
            }
        }
        Ok(())
    }
    /// Those that wait, by name, oldest first.
    pub(in super::super) fn waiting(storage: &dyn Storage, folder: &str) -> Result<Vec<(String, LetterRequest)>> {
        let mut requests = Vec::new();
        for name in names(storage, folder)? {
            let path = format!("{}/{name}", self::requests(folder));
            // Another may have carried it out.
            if let Some(bytes) = storage.read(&path)? {
                let request = from_bytes(&bytes, "request").map_err(|error| error.within(&path))?;
                requests.push((name, request));
            }
        }
        Ok(requests)
    }
    pub(super) fn remove(storage: &dyn Storage, folder: &str, name: &str) -> Result<()> {
        storage.remove(&format!("{}/{name}", requests(folder)))
    }
}

fn names(storage: &dyn Storage, folder: &str) -> Result<Vec<String>> {
    let mut names: Vec<String> = storage.list(&requests(folder))?.into_iter().map(|file| file.name).collect();
    names.retain(|name| name.len() == 20 && name.bytes().all(|byte| byte.is_ascii_digit()));
    names.sort();
    names.truncate(REQUESTS_MAX);
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_storage::MemoryStorage;

    #[test]
    fn requests_come_in_their_order() {
        let storage = MemoryStorage::new();
        let request = |number: u64| LetterRequest { drop: [number].into_iter().collect(), ..LetterRequest::default() };
        (1..12).for_each(|number| request(number).leave(&storage, "d").unwrap());
        storage.put("d/requests/of somebody else", b"x").unwrap();
        let waiting = LetterRequest::waiting(&storage, "d").unwrap();
        assert_eq!(
            waiting.iter().map(|(_, request)| request.clone()).collect::<Vec<_>>(),
            (1..12).map(request).collect::<Vec<_>>()
        );
        LetterRequest::remove(&storage, "d", &waiting[0].0).unwrap();
        assert_eq!(LetterRequest::waiting(&storage, "d").unwrap().len(), 10);
    }
}
