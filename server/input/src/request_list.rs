//! Requests one by one, for the replay through a fleet: the same traces as `request` reads, and a plain table.

use crate::error::{Error, Problem};
use crate::report::{CUT, begin, counted};
use crate::request::TOKENS;
use crate::stamped::note_ends;
use crate::table::{Column, Range, Row, Table, Wanted, key};
use crate::text::Text;
use crate::time::{SECOND, parse};
use crate::{BLOCK_TOKENS, BLOCKS_MAX, TRACE_BYTES_MAX, TRACE_YEARS_MAX, azure, mooncake, text};
use model::scenario::InputReport;
use sim::replay::request::{Arrival, REQUESTS_MAX, Request, Requests};
use std::collections::BTreeMap;

/// Most tenants, models or priorities of a list: what their numbers have room for.
const NAMES_MAX: usize = 1 << 16;

const AT: Wanted = Wanted { what: "time in seconds", names: &["at_s"] };
const INPUT: Wanted = Wanted { what: "prompt's tokens", names: &["input_tokens"] };
const OUTPUT: Wanted = Wanted { what: "answer's tokens", names: &["output_tokens"] };
const TENANT: Wanted = Wanted { what: "tenant", names: &["tenant"] };
const MODEL: Wanted = Wanted { what: "model", names: &["model"] };
const SESSION: Wanted = Wanted { what: "session", names: &["session"] };
const PRIORITY: Wanted = Wanted { what: "priority", names: &["priority"] };
const PAUSE: Wanted = Wanted { what: "pause after the turn before", names: &["pause_s"] };
const SECONDS: Range = Range { low: 0.0, high: TRACE_YEARS_MAX as f64 * 31_622_400.0, unit: "s" };
const PRIORITIES: Range = Range { low: 0.0, high: 255.0, unit: "(0 is served first)" };

/// Requests, and the names that their numbers stand for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RequestList {
    /// The requests; the first comes at 0 s.
    pub requests: Requests,
    /// Tenants by number; none where the file has none.
    pub tenants: Vec<String>,
    /// Models by number; none where the file has none.
    pub models: Vec<Named>,
}

/// What requests of a list name, a model or a tenant, as the first of them does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name; empty for requests that name none.
    pub name: String,
    /// The first line that names it, from 1.
    pub line: u32,
    /// The column or field in which it stands.
    pub column: String,
}

impl RequestList {
    /// Numbers the requests' models by those that are served: `number` knows a name's number, or why it has none. Requests that
    /// name no model ask the one of number 0.
    pub fn ask_served(&mut self, file: &str, number: impl Fn(&str) -> Result<u16, String>) -> Result<(), Error> {
        let of = |named: &Named| {
            if named.name.is_empty() {
                return Ok(0);
            }
            let refuse = |why| Error::field(file, named.line, &named.column, &named.name, Problem::NotServed { why });
            number(&named.name).map_err(refuse)
        };
        let numbers = self.models.iter().map(of).collect::<Result<Vec<u16>, Error>>()?;
        for request in &mut self.requests.list {
            request.model = numbers.get(usize::from(request.model)).copied().unwrap_or_default();
        }
        Ok(())
    }
}

/// The requests of a trace, one by one. At most [`TRACE_BYTES_MAX`] and [`REQUESTS_MAX`].
///
/// - Azure LLM inference traces: `TIMESTAMP,ContextTokens,GeneratedTokens`.
/// - Mooncake traces, with the blocks of each prompt: `timestamp` (ms), `input_length`, `output_length`, `hash_ids`.
/// - A table `at_s,input_tokens,output_tokens`, and if wanted `tenant`, `model`, `session`, `priority` (0 to 255, lower is
///   served first) and `pause_s`. The prompt of a session's later row begins with that of the row before, as far as it is
///   as long. With a `pause_s` a session's later row comes so many seconds after the one before has been answered,
///   whatever its `at_s`; where that field is empty, or there is no such column, at its `at_s`.
///
/// A column or field `model` is read of each of them.
pub fn request_list(file: &str, bytes: &[u8]) -> Result<(RequestList, InputReport), Error> {
    let text = text::decode(file, bytes, TRACE_BYTES_MAX)?;
    let head = text.lines().map(|(_, line)| line.trim()).find(|line| !line.is_empty()).unwrap_or_default();
    let mut report = begin("requests", "", &text);
    let mut reading = Reading { file, list: RequestList::default(), early: 0, empty: 0, last_s: 0.0 };
    if head.starts_with('{') {
        "Mooncake trace".clone_into(&mut report.format);
        reading.mooncake(&text, &mut report)?;
    } else if azure::is_header(head) {
        "Azure LLM inference trace".clone_into(&mut report.format);
        reading.azure(&text, &mut report)?;
    } else if is_header(head) {
        "table of requests".clone_into(&mut report.format);
        reading.table(&text, &mut report)?;
    } else {
        let expected = "an Azure LLM trace (TIMESTAMP,ContextTokens,GeneratedTokens), a Mooncake trace (a JSON object a \
                        line) or a table of requests (at_s,input_tokens,output_tokens)";
        return Err(text.not_recognised(expected));
    }
    reading.end(&mut report)?;
    Ok((reading.list, report))
}

/// Whether a line is the header of a table of requests.
fn is_header(line: &str) -> bool {
    line.split([',', ';', '\t']).any(|name| AT.names.contains(&key(name).as_str()))
}

/// A list as it is read.
struct Reading<'a> {
    file: &'a str,
    list: RequestList,
    early: u32,
    empty: u32,
    last_s: f64,
}

/// Columns that a table may have.
struct Optional {
    tenant: Option<Column>,
    model: Option<Column>,
    session: Option<Column>,
    priority: Option<Column>,
    pause: Option<Column>,
}

impl Reading<'_> {
    /// One request; tokens are whole numbers, and at least one of each.
    fn push(&mut self, at_s: f64, input: f64, output: f64, rest: Request) -> Result<(), Error> {
        let list = &mut self.list.requests.list;
        if list.len() >= REQUESTS_MAX {
            return Err(Error::file(self.file, Problem::TooMany { limit: REQUESTS_MAX, what: "requests" }));
        }
        self.early += u32::from(!list.is_empty() && at_s < self.last_s);
        self.last_s = at_s;
        let (input, output) = (input.round() as u32, output.round() as u32);
        self.empty += u32::from(input == 0 || output == 0);
        let arrival = match rest.arrival {
            Arrival::At { .. } => Arrival::At { at_s },
            Arrival::After { request, pause_s } => Arrival::After { request, pause_s },
        };
        list.push(Request { arrival, input: input.max(1), output: output.max(1), ..rest });
        Ok(())
    }

    /// Blocks of the request that is pushed next: where they begin, and how many there are.
    fn blocks(&mut self, hashes: impl Iterator<Item = u64>) -> Result<Request, Error> {
        let blocks = &mut self.list.requests.blocks;
        let from = blocks.len();
        blocks.extend(hashes);
        if blocks.len() > BLOCKS_MAX {
            return Err(Error::file(self.file, Problem::TooMany { limit: BLOCKS_MAX, what: "blocks of prompts" }));
        }
        self.list.requests.block_tokens = BLOCK_TOKENS;
        let (blocks_from, blocks_count) = (from as u32, (blocks.len() - from) as u32);
        Ok(Request { blocks_from, blocks_count, ..Request::default() })
    }

    fn mooncake(&mut self, text: &Text<'_>, report: &mut InputReport) -> Result<(), Error> {
        let mut lines =
            text.lines().filter(|(_, line)| !line.trim_matches(['\u{1a}', ' ', '\t']).is_empty()).peekable();
        let mut models = Names::default();
        while let Some((number, line)) = lines.next() {
            match mooncake::parse(text.file, number, line) {
                Ok(request) => {
                    note_ends(&format!("{} ms", request.timestamp), report);
                    let mut rest = self.blocks(request.hash_ids.iter().copied())?;
                    let model = request.model.as_deref().unwrap_or_default().trim();
                    rest.model = models.number(text.file, (number, MODEL.names[0]), model, "models")?;
                    let at_s = request.timestamp / SECOND as f64;
                    self.push(at_s, request.input_length, request.output_length, rest)?;
                }
                Err(Error::Line { .. })
                    if !text.whole && lines.peek().is_none() && !self.list.requests.list.is_empty() =>
                {
                    report.remarks.push(CUT.to_owned());
                }
                Err(error) => return Err(error),
            }
        }
        self.list.models = models.models();
        Ok(())
    }

    fn azure(&mut self, text: &Text<'_>, report: &mut InputReport) -> Result<(), Error> {
        let table = Table::open(text, 0)?;
        let (time, input, output) =
            (table.require(&azure::TIME)?, table.require(&azure::INPUT)?, table.require(&azure::OUTPUT)?);
        let (model, mut models) = (table.find(&MODEL), Names::default());
        let mut offsets = None;
        let cut = table.each(|row| {
            let written = row.text(&time)?;
            let stamp = parse(written).ok_or_else(|| row.refuse(&time, Problem::NotATime))?;
            if *offsets.get_or_insert(stamp.offset.is_some()) != stamp.offset.is_some() {
                return Err(row.refuse(&time, Problem::MixedTimes));
            }
            let at = stamp.civil - stamp.offset.unwrap_or_default();
            let (input, output) = (row.required(&input, TOKENS)?, row.required(&output, TOKENS)?);
            let model = models.of(row, model.as_ref(), "models")?;
            self.push(at as f64 / SECOND as f64, input, output, Request { model, ..Request::default() })?;
            note_ends(written, report);
            Ok(())
        })?;
        self.list.models = models.models();
        if cut {
            report.remarks.push(CUT.to_owned());
        }
        Ok(())
    }

    fn table(&mut self, text: &Text<'_>, report: &mut InputReport) -> Result<(), Error> {
        let table = Table::open(text, 0)?;
        let (at, input, output) = (table.require(&AT)?, table.require(&INPUT)?, table.require(&OUTPUT)?);
        let columns = Optional {
            tenant: table.find(&TENANT),
            model: table.find(&MODEL),
            session: table.find(&SESSION),
            priority: table.find(&PRIORITY),
            pause: table.find(&PAUSE),
        };
        let optional = [&columns.tenant, &columns.model, &columns.session, &columns.priority, &columns.pause];
        let read: Vec<&Column> = [&at, &input, &output].into_iter().chain(optional.into_iter().flatten()).collect();
        let unread = table.others(&read);
        if !unread.is_empty() {
            report.remarks.push(format!("not read: {}", unread.join(", ")));
        }
        let (mut tenants, mut models) = (Names::default(), Names::default());
        let mut sessions: BTreeMap<String, (u32, u64)> = BTreeMap::new();
        let cut = table.each(|row| {
            let (at_s, input) = (row.required(&at, SECONDS)?, row.required(&input, TOKENS)?);
            let output = row.required(&output, TOKENS)?;
            let mut rest = self.session(row, &columns, input, &mut sessions)?;
            rest.tenant = tenants.of(row, columns.tenant.as_ref(), "tenants")?;
            rest.model = models.of(row, columns.model.as_ref(), "models")?;
            if let Some(column) = &columns.priority {
                rest.priority = row.number(column, PRIORITIES)?.unwrap_or_default() as u8;
            }
            self.push(at_s, input, output, rest)?;
            note_ends(&format!("{at_s} s"), report);
            Ok(())
        })?;
        if cut {
            report.remarks.push(CUT.to_owned());
        }
        self.list.tenants = tenants.list.into_iter().map(|named| named.name).collect();
        self.list.models = models.models();
        Ok(())
    }

    /// What a row's session says of it: the whole blocks of its prompt, and when it comes.
    fn session(
        &mut self,
        row: &Row<'_>,
        columns: &Optional,
        input: f64,
        sessions: &mut BTreeMap<String, (u32, u64)>,
    ) -> Result<Request, Error> {
        let name = columns.session.as_ref().map(|column| row.text(column)).transpose()?.unwrap_or_default();
        if name.is_empty() {
            return Ok(Request::default());
        }
        let index = self.list.requests.list.len() as u32;
        let before = sessions.get(name).copied();
        let (_, number) = before.unwrap_or((0, sessions.len() as u64));
        let whole = input as u64 / u64::from(BLOCK_TOKENS);
        let mut rest = self.blocks((0..whole).map(|block| number << 32 | block))?;
        let pause = columns.pause.as_ref().map(|column| row.number(column, SECONDS)).transpose()?.flatten();
        if let (Some((request, _)), Some(pause)) = (before, pause) {
            rest.arrival = Arrival::After { request, pause_s: pause as f32 };
        }
        sessions.insert(name.to_owned(), (index, number));
        Ok(rest)
    }

    /// Moves the first request to 0 s and says what is odd.
    fn end(&mut self, report: &mut InputReport) -> Result<(), Error> {
        let list = &mut self.list.requests.list;
        let times = list.iter().filter_map(|request| match request.arrival {
            Arrival::At { at_s } => Some(at_s),
            Arrival::After { .. } => None,
        });
        let first = times.min_by(f64::total_cmp).ok_or_else(|| Error::file(self.file, Problem::NoRows))?;
        for request in list.iter_mut() {
            if let Arrival::At { at_s } = &mut request.arrival {
                *at_s -= first;
            }
        }
        report.rows = list.len() as u32;
        if self.early > 0 {
            report.remarks.push(format!("{} earlier than the one before", counted(self.early, "request")));
        }
        if self.empty > 0 {
            report
                .remarks
                .push(format!("{} without a prompt or an answer: taken as 1 token", counted(self.empty, "request")));
        }
        Ok(())
    }
}

/// Names, and a number for each.
#[derive(Default)]
struct Names {
    list: Vec<Named>,
    numbers: BTreeMap<String, u16>,
}

impl Names {
    /// The number of the name in a column; 0 where there is no such column.
    fn of(&mut self, row: &Row<'_>, column: Option<&Column>, what: &'static str) -> Result<u16, Error> {
        let Some(column) = column else { return Ok(0) };
        self.number(row.file, (row.line, &column.name), row.text(column)?, what)
    }

    /// The number of a name that stands on a line, in a column.
    fn number(
        &mut self,
        file: &str,
        (line, column): (u32, &str),
        name: &str,
        what: &'static str,
    ) -> Result<u16, Error> {
        if let Some(number) = self.numbers.get(name) {
            return Ok(*number);
        }
        let number = u16::try_from(self.list.len())
            .map_err(|_| Error::file(file, Problem::TooMany { limit: NAMES_MAX, what }))?;
        self.list.push(Named { name: name.to_owned(), line, column: column.to_owned() });
        self.numbers.insert(name.to_owned(), number);
        Ok(number)
    }

    /// Models, or none where no request names one.
    fn models(self) -> Vec<Named> {
        if self.list.iter().all(|named| named.name.is_empty()) { Vec::new() } else { self.list }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        request_list("list.csv", text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_table_is_read() {
        let text = "at_s,input_tokens,output_tokens,tenant,session,priority,pause_s\n\
                    5,1100,10,red,a,1,\n6,20,0,blue,,0,\n9,2100,7,red,a,1,2.5\n";
        let (list, report) = request_list("list.csv", text.as_bytes()).unwrap();
        assert_eq!((list.tenants, list.models), (vec!["red".to_owned(), "blue".to_owned()], vec![]));
        let [first, second, third] = list.requests.list[..] else { panic!("three rows") };
        assert_eq!((first.arrival, first.priority, first.tenant), (Arrival::At { at_s: 0.0 }, 1, 0));
        assert_eq!((second.arrival, second.output, second.blocks_count), (Arrival::At { at_s: 1.0 }, 1, 0));
        assert_eq!(third.arrival, Arrival::After { request: 0, pause_s: 2.5 });
        assert_eq!(list.requests.blocks_of(&third)[..2], *list.requests.blocks_of(&first));
        assert_eq!(third.blocks_count, 4);
        assert_eq!(report.remarks, ["1 request without a prompt or an answer: taken as 1 token"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let head = "at_s,input_tokens,output_tokens,priority\n";
        assert_eq!(
            refused(&format!("{head}1,2,3,4\n1,x,3,4\n")),
            "list.csv, line 3, column \"input_tokens\": \"x\" is not a number"
        );
        assert!(
            refused(&format!("{head}1,2,3,256\n")).contains("line 2, column \"priority\": \"256\" is outside 0..255")
        );
        assert!(refused(&format!("{head}-1,2,3,0\n")).contains("column \"at_s\": \"-1\" is outside"));
        assert!(refused("at_s,input_tokens\n1,2\n").contains("no column for the answer's tokens (output_tokens)"));
        assert!(refused("a,b\n1,2\n").contains("or a table of requests"));
        assert!(refused("{\"timestamp\": 1}\n").contains("line 1: not a request in JSON"));
        assert!(refused(head).contains("has no rows"));
    }

    #[test]
    fn columns_that_are_not_read_are_told() {
        let remarks = |text: &str| request_list("list", text.as_bytes()).unwrap().1.remarks;
        let told = remarks("at_s,input_tokens,output_tokens,modle,tenant\n0,9,9,small,a\n");
        assert_eq!(told, ["not read: modle"]);
        assert!(remarks("at_s,input_tokens,output_tokens,model,tenant\n0,9,9,small,a\n").is_empty());
    }

    #[test]
    fn a_request_asks_the_model_that_it_names() {
        let served = |name: &str| match name {
            "big" => Ok(0),
            "small" => Ok(1),
            _ => Err("is not served".to_owned()),
        };
        let models = |text: &str| {
            let (mut list, _) = request_list("list", text.as_bytes()).unwrap();
            list.ask_served("list", served).map_err(|error| error.to_string())?;
            Ok::<_, String>(list.requests.list.iter().map(|request| request.model).collect::<Vec<_>>())
        };
        let table = "at_s,input_tokens,output_tokens,model\n0,9,9,small\n1,9,9,\n2,9,9,big\n";
        assert_eq!(models(table), Ok(vec![1, 0, 0]));
        let refused = models(&format!("{table}3,9,9,smal\n4,9,9,smal\n")).unwrap_err();
        assert_eq!(refused, "list, line 5, column \"model\": \"smal\" is not served");
        let azure = "TIMESTAMP,ContextTokens,GeneratedTokens,Model\n2023-11-16 18:15:46,374,44,small\n";
        assert_eq!(models(azure), Ok(vec![1]));
        let mooncake = "{\"timestamp\": 2, \"input_length\": 6, \"output_length\": 5}\n\
                        {\"timestamp\": 3, \"input_length\": 6, \"output_length\": 5, \"model\": \"small\"}\n";
        assert_eq!(models(mooncake), Ok(vec![0, 1]));
        let refused = models(&mooncake.replace("small", "tiny")).unwrap_err();
        assert_eq!(refused, "list, line 2, column \"model\": \"tiny\" is not served");
        assert_eq!(models("at_s,input_tokens,output_tokens\n0,9,9\n"), Ok(vec![0]));
    }

    #[test]
    fn traces_are_read() {
        let azure = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n\
                     2023-11-16 18:15:50.9951690,396,109\n";
        let (list, _) = request_list("azure.csv", azure.as_bytes()).unwrap();
        let at = |at_s: f64| Arrival::At { at_s };
        let Arrival::At { at_s } = list.requests.list[1].arrival else { panic!("a moment") };
        assert!((at_s - 4.315).abs() < 1e-6, "{at_s}");
        assert_eq!((list.requests.list[0].arrival, list.requests.list[0].input), (at(0.0), 374));
        let mooncake = "{\"timestamp\": 2000, \"input_length\": 600, \"output_length\": 5, \"hash_ids\": [7, 8]}\n\
                        {\"timestamp\": 3000, \"input_length\": 600, \"output_length\": 5, \"hash_ids\": [7, 9]}\n";
        let (list, _) = request_list("mooncake.jsonl", mooncake.as_bytes()).unwrap();
        assert_eq!(
            (list.requests.list[1].arrival, list.requests.blocks_of(&list.requests.list[1])),
            (at(1.0), &[7, 9][..])
        );
        assert_eq!(list.requests.block_tokens, 512);
    }
}
