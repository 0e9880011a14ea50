//! [`pack`]: texts move into one block that holds nothing else.

use super::Text;

/// Copies the long ones of `texts` into one block of just their bytes, so that they no longer keep the blocks alive in
/// which they were received. For texts that are kept together.
pub(crate) fn pack<'a>(texts: impl Iterator<Item = &'a mut Text>) {
    let mut long: Vec<&mut Text> = texts.filter(|text| !text.is_inline()).collect();
    if long.is_empty() {
        return;
    }
    let whole = Text::copy_of(&long.iter().map(|text| text.as_str()).collect::<String>());
    let mut start = 0;
    for text in &mut long {
        let end = start + text.len();
        **text = whole.part(&whole[start..end]);
        start = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Block;

    #[test]
    fn packed_texts_are_the_same_and_let_go_of_their_block() {
        let block =
            Block::from_utf8("a long line, which is no inline text\nshort\nänother löng line".as_bytes()).unwrap();
        let mut texts = Vec::new();
        block.next_lines(&mut 0, block.len(), 10, &mut texts);
        let before = texts.clone();
        assert_eq!(block.count(), 5);
        pack(texts.iter_mut());
        assert_eq!(texts, before);
        drop(before);
        assert_eq!(block.count(), 1);
    }
}
