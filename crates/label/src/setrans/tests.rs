//! Names both ways. What mcstransd says of the same files was compared with these.

use expect_test::expect;

use super::Setrans;

const MAIN: &[u8] = b"# ranges\n\
    s0=SystemLow\n s15:c0.c1023 = SystemHigh # all\ns0-s15:c0.c1023=SystemLow-SystemHigh\ns0=Lowest\n\
    Base=levels\ns1:c5=CONFIDENTIAL\ns1:c5=C\ns2=SECRET\ns2=SECRET SQUIRREL\ns3:c100.c109=TOP SECRET\n\
    Include=words/*.conf\nc20!c21\nc22>c23,c24\ns2!c30\n";
const PIPES: &[u8] = b"ModifierGroup=pipes\nPrefix=VIA\nPrefix=HANDLE VIA\nSuffix=PIPES ONLY\nSuffix=PIPES\n\
    Whitespace=, /\nJoin=,\nc10=IRON\nc10=Fe\nc11=COPPER\nc10,c11=METAL\nc20=GOLD\nc21=LEAD\nc22=TIN\nc23,c24=ZINC\nc30=ICE\n";
const EYES: &[u8] =
    b"ModifierGroup=eyes\nWhitespace=/ ,\nJoin=/\nSuffix=EYES ONLY\nDefault=c100.c109\n\
    ~c101=FRA\n~c102=DEU\n~c101,~c102,~c103=EUR\n";
const PLAIN: &[u8] = b"ModifierGroup=plain\nc40=ALPHA\nc41=ALPHABET\nc42=BETA\n";

fn setrans() -> Setrans {
    let file = |name: &str, bytes: &[u8]| (name.as_bytes().into(), bytes.to_vec());
    let (setrans, errors) = Setrans::parse(b"setrans.conf", MAIN, &mut |glob| {
        assert_eq!(glob, b"words/*.conf");
        Some(vec![file("eyes.conf", EYES), file("pipes.conf", PIPES), file("plain.conf", PLAIN)])
    });
    assert_eq!(errors, []);
    setrans
}

/// What was asked and the answer, a line each.
fn answers(asked: &[&str], answer: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let line = |it: &&str| format!("{it} = {}", String::from_utf8_lossy(&answer(it.as_bytes())));
    asked.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn from_raw() {
    let setrans = setrans();
    let raw = [
        "s0",
        "s15:c0.c1023",
        "s0-s15:c0.c1023",
        "s0-s2",
        "s2-s2",
        "s1:c5",
        "s1",
        "s2:c10",
        "s2:c10,c11",
        "s2:c10,c11,c40",
        "s2:c40.c42",
        "s3:c100.c109",
        "s3:c100,c102.c109",
        "s3:c100,c104.c109",
        "s3:c40,c100,c102.c109",
        "s2:c20,c21",
        "s2:c22",
        "s2:c22.c24",
        "s2:c30",
        "s3:c30,c100.c109",
        "s2:c12",
        "s2:c900",
        "s9",
        "s1:c5-s2:c40",
        "anything",
    ];
    let named = answers(&raw, |it| setrans.to_name(it));
    expect![[r#"
        s0 = SystemLow
        s15:c0.c1023 = SystemHigh
        s0-s15:c0.c1023 = SystemLow-SystemHigh
        s0-s2 = SystemLow-SECRET
        s2-s2 = SECRET
        s1:c5 = CONFIDENTIAL
        s1 = s1
        s2:c10 = SECRET VIA IRON PIPES ONLY
        s2:c10,c11 = SECRET VIA METAL PIPES ONLY
        s2:c10,c11,c40 = SECRET VIA METAL PIPES ONLY ALPHA
        s2:c40.c42 = SECRET ALPHA ALPHABET BETA
        s3:c100.c109 = TOP SECRET
        s3:c100,c102.c109 = TOP SECRET FRA EYES ONLY
        s3:c100,c104.c109 = TOP SECRET EUR EYES ONLY
        s3:c40,c100,c102.c109 = TOP SECRET FRA EYES ONLY ALPHA
        s2:c20,c21 = s2:c20,c21
        s2:c22 = s2:c22
        s2:c22.c24 = SECRET VIA ZINC,TIN PIPES ONLY
        s2:c30 = s2:c30
        s3:c30,c100.c109 = TOP SECRET VIA ICE PIPES ONLY
        s2:c12 = s2:c12
        s2:c900 = s2:c900
        s9 = s9
        s1:c5-s2:c40 = CONFIDENTIAL-SECRET ALPHA
        anything = anything"#]]
    .assert_eq(&named);
}

#[test]
fn to_raw() {
    let setrans = setrans();
    let names = [
        "SystemLow",
        "Lowest",
        "systemlow",
        "SystemLow-SystemHigh",
        "SystemLow-SECRET",
        "C",
        "confidential",
        "SECRET VIA IRON",
        "SECRET HANDLE VIA Fe,COPPER PIPES ONLY",
        "SECRET IRON",
        "SECRET via iron/copper pipes",
        "SECRET ALPHA BETA",
        "SECRET ALPHABET",
        "SECRET SQUIRREL ALPHA",
        "TOP SECRET FRA EYES ONLY",
        "TOP SECRET FRA/DEU EYES ONLY ALPHA",
        "TOP SECRET ALPHA",
        "SECRET VIA GOLD,LEAD",
        "SECRET VIA TIN,ZINC",
        "SECRET VIA TIN",
        "SECRET OTHER",
        "OTHER",
        "CONFIDENTIAL ALPHA-SECRET VIA IRON",
        "SECRET",
        "",
    ];
    let raw = answers(&names, |it| setrans.to_raw(it));
    expect![[r#"
        SystemLow = s0
        Lowest = s0
        systemlow = systemlow
        SystemLow-SystemHigh = s0-s15:c0.c1023
        SystemLow-SECRET = s0-s2
        C = s1:c5
        confidential = s1:c5
        SECRET VIA IRON = s2:c10
        SECRET HANDLE VIA Fe,COPPER PIPES ONLY = s2:c10,c11
        SECRET IRON = SECRET IRON
        SECRET via iron/copper pipes = s2:c10,c11
        SECRET ALPHA BETA = s2:c40,c42
        SECRET ALPHABET = s2:c41
        SECRET SQUIRREL ALPHA = s2:c40
        TOP SECRET FRA EYES ONLY = s3:c100,c102.c109
        TOP SECRET FRA/DEU EYES ONLY ALPHA = s3:c40,c100,c103.c109
        TOP SECRET ALPHA = s3:c40,c100.c109
        SECRET VIA GOLD,LEAD = SECRET VIA GOLD,LEAD
        SECRET VIA TIN,ZINC = s2:c22.c24
        SECRET VIA TIN = SECRET VIA TIN
        SECRET OTHER = SECRET OTHER
        OTHER = OTHER
        CONFIDENTIAL ALPHA-SECRET VIA IRON = s1:c5,c40-s2:c10
        SECRET = s2
         = "#]]
    .assert_eq(&raw);
}

#[test]
fn contexts() {
    let setrans = setrans();
    let text = |it: Option<Vec<u8>>| it.map(|it| String::from_utf8_lossy(&it).into_owned());
    assert_eq!(text(setrans.context_to_name(b"u:r:t:s0")).as_deref(), Some("u:r:t:SystemLow"));
    assert_eq!(
        text(setrans.context_to_raw(b"u:r:t:TOP SECRET ALPHA")).as_deref(),
        Some("u:r:t:s3:c40,c100.c109")
    );
    assert_eq!(text(setrans.context_to_name(b"u:r:t")), None);
}

#[test]
fn domains() {
    let conf = b"Domain=one\ns0=Low\nBase=b\ns1=UNCLASS\nModifierGroup=g\nc1=A\nDomain=two\ns0=Lower\ns2=Upper\n";
    let (setrans, errors) = Setrans::parse(b"s", conf, &mut |_| None);
    assert_eq!(errors, []);
    let ask = |it: &str| String::from_utf8_lossy(&setrans.to_name(it.as_bytes())).into_owned();
    assert_eq!(
        [ask("s0"), ask("s2"), ask("s1:c1"), ask("s0-s2")].join(", "),
        "Low, Upper, UNCLASS A, Low-s2"
    );
    let listed: Vec<String> = setrans
        .entries()
        .map(|(range, name)| {
            format!("{}={}", String::from_utf8_lossy(range), String::from_utf8_lossy(name))
        })
        .collect();
    assert_eq!(listed.join(" "), "s0=Low s1=UNCLASS s0=Lower s2=Upper");
}

#[test]
fn lines_that_are_wrong() {
    let conf = b"nothing\n=x\ns0=\nJoin=,\nBase=b\nx=y\ns1:c1024=Z\nInclude=self\nInclude=none\nModifierGroup=g\n  c1=a-b\n~c1,d=c\nDefault=c5.c1\n# =\ns1!x\nq>c1\n";
    let mut left = 2;
    let (_, errors) = Setrans::parse(b"main", conf, &mut |glob| {
        left -= 1;
        (glob == b"self" && left > 0)
            .then(|| vec![((*b"self").into(), b"Include=self\ns0\n".to_vec())])
    });
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    expect![[r#"
        main:1:8: expected =, ! or > here, found the end of the line
        main:2:1: expected a level or keyword here, found the end of the line
        main:3:4: expected a value here, found the end of the line
        main:4:1: expected ModifierGroup before what says something of a group, found "Join"
        main:6:1: expected a level such as s0:c0.c3, found "x"
        main:7:1: expected a level such as s0:c0.c3, found "s1:c1024"
        self:1:9: expected files that can be read, found "self"
        self:2:3: expected =, ! or > here, found the end of the line
        main:9:9: expected files that can be read, found "none"
        main:11:7: expected a word without -, found "a-b"
        main:12:1: expected categories such as c0.c3 or ~c0, found "~c1,d"
        main:13:9: expected categories such as c0.c3 or ~c0, found "c5.c1"
        main:15:4: expected categories such as c0.c3 or ~c0, found "x"
        main:16:1: expected categories such as c0.c3 or ~c0, found "q""#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn includes_without_end() {
    let file = || ((*b"f").into(), b"Include=f\nInclude=f\ns0=x\n".to_vec());
    let (setrans, errors) =
        Setrans::parse(b"f", b"Include=f\n", &mut |_| Some(vec![file(), file()]));
    assert!(errors.iter().any(|it| it.to_string().contains("nest less deeply")));
    assert!(errors.iter().any(|it| it.to_string().contains("fewer files")));
    assert_eq!(setrans.to_name(b"s0"), b"x");
}
