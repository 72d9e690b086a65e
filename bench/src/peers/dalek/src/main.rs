//! ed25519-dalek on the inputs that the other engines get: `dalek-peer MODE INPUT HOSTILE SECONDS BATCH`, where MODE is
//! verify, verify_strict or verify_batch. Prints one JSON object. An input file (engine-input.ts) holds, little-endian:
//! the counts of signatures and keys and the bytes of a message, four each; the keys; and for each signature its
//! key's index, the signature, and the message.
use ed25519_dalek::{verify_batch, Signature, Verifier, VerifyingKey};
use std::{env, fs, time::Instant};

struct Inputs {
    keys: Vec<VerifyingKey>,
    messages: Vec<Vec<u8>>,
    signatures: Vec<Signature>,
}

fn read_u32(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize
}

/// Keys are decoded once, as an application that knows its issuers does; each check has a copy, which verify_batch wants.
fn read_inputs(path: &str) -> Inputs {
    let bytes = fs::read(path).expect("the input can be read");
    let (count, key_count, message_bytes) = (read_u32(&bytes, 0), read_u32(&bytes, 4), read_u32(&bytes, 8));
    let decoded: Vec<VerifyingKey> = (0..key_count)
        .map(|index| {
            let at = 12 + index * 32;
            let raw: [u8; 32] = bytes[at..at + 32].try_into().expect("a key");
            VerifyingKey::from_bytes(&raw).expect("a key on the curve")
        })
        .collect();
    let mut inputs = Inputs { keys: vec![], messages: vec![], signatures: vec![] };
    for index in 0..count {
        let at = 12 + key_count * 32 + index * (68 + message_bytes);
        inputs.keys.push(decoded[read_u32(&bytes, at)]);
        inputs.signatures.push(Signature::from_slice(&bytes[at + 4..at + 68]).expect("64 bytes"));
        inputs.messages.push(bytes[at + 68..at + 68 + message_bytes].to_vec());
    }
    inputs
}

/// Whether the signatures from `from` on, so many, all hold.
fn hold(mode: &str, inputs: &Inputs, from: usize, count: usize) -> bool {
    let range = from..from + count;
    match mode {
        "verify_batch" => {
            let messages: Vec<&[u8]> = inputs.messages[range.clone()].iter().map(|m| m.as_slice()).collect();
            verify_batch(&messages, &inputs.signatures[range.clone()], &inputs.keys[range]).is_ok()
        }
        "verify_strict" => {
            range.into_iter().all(|i| inputs.keys[i].verify_strict(&inputs.messages[i], &inputs.signatures[i]).is_ok())
        }
        _ => range.into_iter().all(|i| inputs.keys[i].verify(&inputs.messages[i], &inputs.signatures[i]).is_ok()),
    }
}

/// Time that this process has spent on a core.
fn cpu_ns() -> u64 {
    let text = fs::read_to_string("/proc/self/schedstat").expect("Linux tells it");
    text.split(' ').next().and_then(|first| first.parse().ok()).expect("a number of nanoseconds")
}

fn resident_kib() -> u64 {
    let text = fs::read_to_string("/proc/self/status").expect("Linux tells it");
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).expect("it names resident memory");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number of KiB")
}

fn main() {
    let args: Vec<String> = env::args().collect();
    let (mode, seconds) = (args[1].as_str(), args[4].parse::<f64>().expect("seconds"));
    let batch = if mode == "verify_batch" { args[5].parse::<usize>().expect("a batch") } else { 1 };
    let inputs = read_inputs(&args[2]);
    let hostile = read_inputs(&args[3]);
    let usable = inputs.messages.len() / batch * batch;
    // Written to before memory is looked at, so that none of its pages counts as the engine's.
    let mut durations: Vec<u64> = vec![1; 1 << 20];
    durations.clear();
    let before_kib = resident_kib();
    let (mut next, mut verified, mut all_hold) = (0, 0u64, true);
    let (began, cpu_began) = (Instant::now(), cpu_ns());
    while began.elapsed().as_secs_f64() < seconds {
        let call = Instant::now();
        all_hold &= hold(mode, &inputs, next, batch);
        if durations.len() < durations.capacity() {
            durations.push(call.elapsed().as_nanos() as u64);
        }
        next = (next + batch) % usable;
        verified += batch as u64;
    }
    let (elapsed, cpu) = (began.elapsed().as_secs_f64(), cpu_ns() - cpu_began);
    let after_kib = resident_kib();
    // Pairs of hostile signatures, of which the last is honest: see engine-input.ts.
    let per_call = if mode == "verify_batch" { 2 } else { 1 };
    let accepted = (0..hostile.messages.len() / 2).filter(|pair| hold(mode, &hostile, pair * 2, per_call)).count();
    // As many as a call has, of which the one in the middle has the message of the one behind it.
    let mut altered = Inputs {
        keys: inputs.keys[..batch].to_vec(),
        messages: inputs.messages[..batch].to_vec(),
        signatures: inputs.signatures[..batch].to_vec(),
    };
    altered.messages[batch / 2] = inputs.messages[batch / 2 + 1].clone();
    let accepts_altered = hold(mode, &altered, 0, batch);
    durations.sort_unstable();
    println!(
        "{{\"perSecond\":{},\"p99Ms\":{},\"cpuUsPerVerification\":{},\"rssMiB\":{},\"allHold\":{},\"acceptsAltered\":{},\"hostileAccepted\":{}}}",
        verified as f64 / elapsed,
        durations[durations.len() * 99 / 100] as f64 / 1e6,
        cpu as f64 / 1e3 / verified as f64,
        after_kib.saturating_sub(before_kib) as f64 / 1024.0,
        all_hold,
        accepts_altered,
        accepted
    );
}
