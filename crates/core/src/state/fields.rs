//! [`FieldChanges`]: the names of fields that a stored value has and the program's type does not, and the other way round.
//! Such a value reads all the same, so that nobody would hear of it.

use super::items::{StateItem, StateItems};
use crate::{Data, Result, codec};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::{BTreeMap, BTreeSet};

/// What a stored value and the type that reads it do not share. A renamed field with an alias is in both.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FieldChanges {
    /// Stored, and not in the type.
    pub gone: Vec<String>,
    /// In the type, and not stored.
    pub new: Vec<String>,
}

/// As much of a value as has names.
#[derive(Deserialize)]
#[serde(untagged)]
enum Shape {
    Named(BTreeMap<String, Shape>),
    Other(IgnoredAny),
}
impl Shape {
    /// `a`, `a.b`, ....
    fn names(&self, within: &str, names: &mut BTreeSet<String>) {
        let Shape::Named(fields) = self else { return };
        for (name, shape) in fields {
            let path = if within.is_empty() { name.clone() } else { format!("{within}.{name}") };
            shape.names(&path, names);
            names.insert(path);
        }
    }
    fn names_of(bytes: &[u8]) -> Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        codec::read::<Shape>(&mut &bytes[..])?.names("", &mut names);
        Ok(names)
    }
}

impl FieldChanges {
    /// By the first value of `piece`, read as a `V`; none where it has none.
    pub(super) fn of<V: Data>(piece: &[u8]) -> Result<Option<FieldChanges>> {
        let mut items = StateItems::new(piece)?;
        while let Some(item) = items.next_encoded()? {
            let (StateItem::Entry { state: value, .. } | StateItem::Value(_, value) | StateItem::Left(_, value)) = item
            else {
                continue;
            };
            let mut now = Vec::new();
            codec::write(&codec::read::<V>(&mut &value[..])?, &mut now)?;
            let (stored, now) = (Shape::names_of(value)?, Shape::names_of(&now)?);
            let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect();
            return Ok(Some(FieldChanges { gone: only(&stored, &now), new: only(&now, &stored) }));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock::Clock;
    use super::super::items::PieceWriter;
    use super::*;
    use serde::Serialize;

    #[derive(Clone, Serialize, Deserialize)]
    struct Old {
        count: u32,
        label: String,
        place: Option<Place>,
    }
    #[derive(Clone, Serialize, Deserialize)]
    struct Place {
        x: f64,
        y: f64,
    }
    #[derive(Clone, Serialize, Deserialize)]
    struct New {
        count: u64,
        #[serde(alias = "label")]
        name: String,
        #[serde(default)]
        newest: u64,
        place: Option<Narrow>,
    }
    #[derive(Clone, Serialize, Deserialize)]
    struct Narrow {
        x: f64,
    }

    #[test]
    fn fields_that_come_and_go_are_named() {
        let mut writer = PieceWriter::new(0);
        writer.removed(&7).unwrap();
        let old = Old { count: 1, label: "a".into(), place: Some(Place { x: 1.0, y: 2.0 }) };
        writer.entry(&7, &old, (Clock::NEVER, Clock::NEVER)).unwrap();
        let pieces = writer.take();
        let changes = FieldChanges::of::<New>(&pieces[0]).unwrap().unwrap();
        assert_eq!(
            (changes.gone, changes.new),
            (vec!["label".into(), "place.y".into()], vec!["name".into(), "newest".into()])
        );
        assert_eq!(FieldChanges::of::<Old>(&pieces[0]).unwrap(), Some(FieldChanges::default()));
        writer.removed(&7).unwrap();
        assert_eq!(FieldChanges::of::<Old>(&writer.take()[0]).unwrap(), None);
    }

    #[test]
    fn values_without_names_have_no_changes() {
        let mut writer = PieceWriter::new(0);
        writer.entry(&7, &(1u64, BTreeMap::from([(5u8, 'x')]), u128::MAX), (Clock::NEVER, Clock::NEVER)).unwrap();
        let changes = FieldChanges::of::<(u64, BTreeMap<u8, char>, u128)>(&writer.take()[0]).unwrap();
        assert_eq!(changes, Some(FieldChanges::default()));
    }
}
