//! The two sides against each other, and against what no other side would send.

use super::*;

fn greeted(outbox: &mut Outbox, position: u64) -> Inbox {
    let mut inbox = Inbox::default();
    outbox.connected();
    outbox.take_in(&Inbox::greeting()).unwrap();
    inbox.take_in(&outbox.to_send());
    assert_eq!(inbox.sender().unwrap(), Some(&b"me"[..]));
    outbox.take_in(&Inbox::acknowledgement(position)).unwrap();
    inbox
}
fn messages(inbox: &mut Inbox) -> Vec<(u64, String)> {
    let mut messages = Vec::new();
    while let Some((sequence, payload)) = inbox.next_message().unwrap() {
        messages.push((sequence, String::from_utf8(payload.to_vec()).unwrap()));
    }
    messages
}
fn numbered(words: &[&str], first: u64) -> Vec<(u64, String)> {
    (first..).zip(words.iter().map(|word| (*word).to_owned())).collect()
}

#[test]
fn what_was_not_acknowledged_is_sent_again_behind_the_position() {
    let mut outbox = Outbox::new(b"me").unwrap();
    for (sequence, word) in numbered(&["to", "be", "or", ""], 1) {
        assert_eq!(outbox.push(word.as_bytes()).unwrap(), sequence);
    }
    let mut inbox = greeted(&mut outbox, 0);
    inbox.take_in(&outbox.to_send());
    assert_eq!(messages(&mut inbox), numbered(&["to", "be", "or", ""], 1));
    assert!(outbox.to_send().is_empty());
    outbox.take_in(&Inbox::acknowledgement(2)[..5]).unwrap();
    assert_eq!(outbox.unacknowledged(), 4);
    outbox.take_in(&Inbox::acknowledgement(2)[5..]).unwrap();
    assert_eq!(outbox.unacknowledged(), 2);
    // The acknowledgement of the third was lost.
    let mut inbox = greeted(&mut outbox, 3);
    outbox.push(b"not").unwrap();
    inbox.take_in(&outbox.to_send());
    assert_eq!(messages(&mut inbox), numbered(&["", "not"], 4));
    // A receiver that knows nothing of the sender: it gets what there is.
    let mut inbox = greeted(&mut outbox, 0);
    inbox.take_in(&outbox.to_send());
    assert_eq!(messages(&mut inbox), numbered(&["", "not"], 4));
}

/// These bytes are for good.
#[test]
fn the_bytes_of_version_1() {
    let mut outbox = Outbox::new(b"me").unwrap();
    outbox.push(b"hi").unwrap();
    outbox.connected();
    assert_eq!(outbox.to_send(), b"HWRELIAB\x01\x00\x02me");
    outbox.take_in(b"HWRELIAB\x01\x00\0\0\0\0\0\0\0\0").unwrap();
    assert_eq!(outbox.to_send(), b"\x01\0\0\0\0\0\0\0\x02\0\0\0\x64\x6c\x1c\xfdhi");
}

#[test]
fn bytes_may_come_one_at_a_time() {
    let mut outbox = Outbox::new(b"me").unwrap();
    outbox.push(b"to be").unwrap();
    outbox.connected();
    let (mut inbox, mut sent) = (Inbox::default(), outbox.to_send());
    for byte in Inbox::greeting().into_iter().chain(Inbox::acknowledgement(0)) {
        outbox.take_in(&[byte]).unwrap();
    }
    sent.extend(outbox.to_send());
    let mut found = Vec::new();
    for byte in sent {
        inbox.take_in(&[byte]);
        if inbox.sender().unwrap().is_some() {
            found.extend(messages(&mut inbox));
        }
    }
    assert_eq!(found, numbered(&["to be"], 1));
}

#[test]
fn what_the_other_side_would_not_send_is_an_error() {
    let sender = |bytes: &[u8]| {
        let mut inbox = Inbox::default();
        inbox.take_in(bytes);
        inbox.sender().map(drop).and_then(|()| inbox.next_message().map(drop)).unwrap_err().to_string()
    };
    assert_eq!(sender(b"GET / HTTP/1.1\r\n\r\n"), "the sender does not speak the protocol of reliable streams");
    assert_eq!(sender(b"HWRELIAB\x02\0"), "the sender speaks version 2 of the protocol, this side 1");
    assert_eq!(sender(b"HWRELIAB\x01\0\0"), "the sender has no id");
    let message = b"\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0hi";
    assert_eq!(sender(&[&b"HWRELIAB\x01\0\x02me"[..], message].concat()), "message 1 has a wrong checksum");
    let long = b"\x01\0\0\0\0\0\0\0\0\0\0\x80\0\0\0\0";
    assert!(sender(&[&b"HWRELIAB\x01\0\x02me"[..], long].concat()).contains("message 1 has 2147483648 bytes"));
    let mut outbox = Outbox::new(b"me").unwrap();
    outbox.connected();
    outbox.to_send();
    let lost = outbox.take_in(b"HWRELIAB\x01\0\x07\0\0\0\0\0\0\0").unwrap_err().to_string();
    assert!(lost.contains("messages of `me` up to 7, and this sender has sent 0"), "{lost}");
    assert!(outbox.to_send().is_empty());
}

#[test]
fn limits_are_errors() {
    let mut outbox = Outbox::new(b"me").unwrap();
    let payload = vec![b'x'; MESSAGE_BYTES_MAX + 1];
    assert_eq!(outbox.push(&payload).unwrap_err().kind(), ErrorKind::Resources);
    (0..OUTBOX_BYTES_MAX / MESSAGE_BYTES_MAX).for_each(|_| assert!(outbox.push(&payload[1..]).is_ok()));
    assert_eq!(outbox.push(b"x").unwrap_err().kind(), ErrorKind::Resources);
    let mut inbox = greeted(&mut outbox, 0);
    inbox.take_in(&outbox.to_send());
    outbox.take_in(&Inbox::acknowledgement(1)).unwrap();
    outbox.push(b"x").unwrap();
    assert_eq!([Outbox::new(b"").is_err(), Outbox::new(&[0; 256]).is_err()], [true, true]);
}
