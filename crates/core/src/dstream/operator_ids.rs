//! The stable ids of a graph's operators, given when it starts: what state and outputs are found by after a restart.

use super::node::{AnyDStream, address};
use crate::origin::OperatorId;
use crate::{Error, Result};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// The stable id of each node: the user's, or the operator's kind with a hash of kind, parents' ids and index among
/// equals. Adding or removing an operator elsewhere leaves it as it is.
pub(super) fn operator_ids(nodes: &[Arc<dyn AnyDStream>]) -> Result<Vec<OperatorId>> {
    // An operator of several steps is named once: its first step has a state that must be found by that name.
    let first_step = |node: &Arc<dyn AnyDStream>| Some((address(node.header().first_step()?), node.header().uid()?));
    let named: HashMap<*const (), String> = nodes.iter().filter_map(first_step).collect();
    let mut known: BTreeMap<*const (), OperatorId> = BTreeMap::new();
    let mut equals: HashMap<String, usize> = HashMap::new();
    let mut taken = HashSet::new();
    let mut ids = Vec::with_capacity(nodes.len());
    for node in nodes {
        let parents = node.parents().iter().map(|parent| match known.get(&address(parent)) {
            Some(id) => Ok(id.as_str()),
            None => Err(Error::program(format!(
                "{} reads {}, which belongs to another context: a graph cannot reach into another context's streams",
                node.header().place(),
                parent.header().place()
            ))),
        });
        let parents = parents.collect::<Result<Vec<_>>>()?.join(",");
        let id = match node.header().uid() {
            Some(uid) => uid,
            None if named.contains_key(&address(node)) => format!("{}/{}", named[&address(node)], node.header().kind),
            None => {
                let place = format!("{}({parents})", node.header().kind);
                let number = equals.entry(place.clone()).or_default();
                *number += 1;
                format!("{}-{:016x}", node.header().kind, fnv1a(&format!("{place}#{number}")))
            }
        };
        if !taken.insert(id.clone()) {
            return Err(Error::program(format!(
                "operator id {id:?} is used twice, the second time by {}; give each .uid(...) a name of its own",
                node.header().place()
            )));
        }
        let id = OperatorId::new(&id);
        known.insert(address(node), id);
        ids.push(id);
    }
    Ok(ids)
}

/// FNV-1a: a derived id must be equal in every process and release, and nobody attacks it.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
