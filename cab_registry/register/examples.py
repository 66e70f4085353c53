"""One valid example of every record type, of the question and of the answer.

All names are made up; economies are user-assigned codes of ISO 3166-1 (XA, XB, XU).
"""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import Any, Final

import yaml

_EXAMPLES: Final = """
economy:
  type: economy
  id: xa
  owner: registrar
  code: XA
  names: {en: First Example Economy}
  member_of: [{union: XU, from: '1999-01-01', source: accession}]
  sources: {accession: {title: Treaty of accession, confidence: high}}
authority:
  type: authority
  id: xa-accreditation-service
  owner: registrar
  economy: XA
  names: {en: Accreditation Service of XA}
  other_names: [XAAS]
  roles: [accrediting]
  succeeds: [{authority: xa-accreditation-bureau, 'on': '2011-07-01', source: act}]
  signatory:
    - {arrangement: example-arrangement, standards: [ISO/IEC 17025], from: '2012-03-01', source: act}
  sources:
    act: {title: Act on accreditation, address: 'https://example.org/act', read_on: '2026-11-21', confidence: high}
requirement:
  type: requirement
  id: xb-radio-rules
  owner: xb-radio-office
  economy: XB
  sector: telecom_radio
  citation: Radio Rules, Part 3
  other_citations: [RR 3]
  editions:
    - key: '2009'
      from: '2009-01-01'
      until: '2016-12-31'
      transition: {until: '2017-06-30', clock: submitted}
      source: rules
    - {key: '2017', from: '2017-01-01', source: rules}
  sources: {rules: {title: Radio Rules, confidence: medium}}
agreement:
  type: agreement
  id: xa-xb-mra
  owner: registrar
  title: Agreement on mutual recognition between XA and XB
  short: XA-XB MRA
  family: technical
  parties: [XA, XB]
  instrument:
    - {state: signed, 'on': '2004-05-03', source: text}
    - {state: in_force, 'on': {not_before: '2005-01-01', not_after: '2005-01-31'}, source: text}
  annexes:
    telecom:
      title: Telecommunications
      sectors: [telecom_radio]
      timeline: [{state: operational, 'on': '2006-01-01', source: text}]
  objection: {days: 60, silence: recognised, source: text, citation: Article 7}
  articles: [{key: '7', says: A proposal that is not opposed in time is taken., source: text}]
  sources: {text: {title: Text of the agreement, confidence: high}}
route:
  type: route
  id: xa-xb-mra-xb-certificates
  owner: xb-radio-office
  title: XA-XB MRA, certificates of XA bodies for XB
  citation: Article 3 and annex
  source: text
  confidence: high
  agreement: xa-xb-mra
  annex: telecom
  importer: [XB]
  exporter: [XA]
  result_kinds: [certificate]
  requirements: [{id: xb-radio-rules, from: always, source: text}]
  excluded: [{product_class: maritime_radio, from: '2015-01-01', source: text}]
  issuer:
    kinds: [certification_body]
    designation: {by: [exporter], 'on': [issued], source: text}
    recognition: {by: [xb-radio-office], 'on': [issued], source: text}
    accreditation: {need: required, standards: [ISO/IEC 17065], 'on': [performed, issued], source: text}
  survival:
    - {reason: withdrawal, effect: survives, source: text, citation: Article 9}
    - {reason: any, effect: silent, source: text}
  duty: must
  sources: {text: {title: Text of the agreement, confidence: high}}
body:
  type: body
  id: example-laboratory
  owner: xa-accreditation-service
  economy: XA
  names: [{name: Example Laboratory Ltd, from: always, source: list}]
  kinds: [testing_laboratory, certification_body]
  sites: [{key: harbour, economy: XA, address: 1 Harbour Road}]
  identifiers: [{scheme: xb-number, value: XA0042, site: harbour, from: '2006-02-01', source: list}]
  ownership: [{fact: independent_third_party, from: always, source: list}]
  sources: {list: {title: List of bodies, address: 'https://example.org/list', confidence: high}}
accreditation:
  type: accreditation
  id: accreditation-xa-accreditation-service-example-laboratory-1
  owner: xa-accreditation-service
  body: example-laboratory
  site: harbour
  by: xa-accreditation-service
  standard: ISO/IEC 17065
  edition: '2012'
  number: P-42
  validity: dated
  from: '2018-01-01'
  until: '2022-12-31'
  scope: [{key: radio, requirement: xb-radio-rules, from: '2018-01-01', until: '2021-12-31', source: certificate}]
  timeline: [{event: granted, 'on': '2018-01-01', source: certificate}]
  sources: {certificate: {title: Certificate of accreditation P-42, confidence: high}}
designation:
  type: designation
  id: designation-xa-ministry-example-laboratory-1
  owner: xa-ministry
  body: example-laboratory
  by: xa-ministry
  agreement: xa-xb-mra
  annex: telecom
  scope: [{key: radio, requirement: xb-radio-rules, result_kinds: [certificate], from: '2018-05-01', source: letter}]
  timeline: [{event: designated, 'on': '2018-05-01', source: letter}]
  sources: {letter: {title: Letter of designation, confidence: medium}}
recognition:
  type: recognition
  id: recognition-xb-radio-office-example-laboratory-1
  owner: xb-radio-office
  body: example-laboratory
  by: xb-radio-office
  agreement: xa-xb-mra
  annex: telecom
  scope: [{key: radio, requirement: xb-radio-rules, from: '2018-06-01', source: list}]
  timeline:
    - {event: notified, 'on': '2018-05-02', source: list}
    - {event: recognised, 'on': '2018-06-01', source: list}
    - {event: suspended, 'on': '2020-03-01', until: '2020-05-31', items: [radio], kind: voluntary, source: list}
  sources: {list: {title: List of recognised bodies, confidence: high}}
position:
  type: position
  id: position-xb-radio-office-1
  owner: xb-radio-office
  by: xb-radio-office
  about: {agreement: xa-xb-mra, result_kinds: [certificate], issued_before: '2015-01-01'}
  says: not_accepted
  from: '2020-01-01'
  binds_in: [XB]
  ground: Older certificates rest on rules that are no longer in use.
  source: circular
  sources: {circular: {title: Circular 3, confidence: high}}
notice:
  type: notice
  id: notice-xb-radio-office-1
  owner: xb-radio-office
  by: xb-radio-office
  about: {body: example-laboratory, number: C-2019-7}
  effect: cancelled
  'on': '2020-02-12'
  source: gazette
  sources: {gazette: {title: Gazette 12, confidence: high}}
coverage:
  type: coverage
  id: coverage-xb-radio-office-xa-xb-mra
  owner: xb-radio-office
  by: xb-radio-office
  kinds: [recognition]
  agreement: xa-xb-mra
  completeness: partial
  as_of: '2026-07-01'
  list: {title: List of recognised bodies, address: 'https://example.org/list'}
question:
  destination: XB
  presented_on: '2020-04-01'
  result:
    kind: certificate
    issuer: {id: example-laboratory}
    issuer_economy: XA
    performed_on: {from: '2019-03-02', to: '2019-03-06'}
    issued_on: '2019-03-10'
  subject: {sector: telecom_radio, requirement: xb-radio-rules}
answer:
  verdict: accepted
  headline: 'Accepted in XB: its radio office recognises Example Laboratory Ltd under the XA-XB MRA.'
  route:
    id: xa-xb-mra-xb-certificates
    title: XA-XB MRA, certificates of XA bodies for XB
    agreement: xa-xb-mra
    annex: telecom
    scheme: null
    duty: must
    citation: Article 3 and annex
    source: Text of the agreement
    confidence: high
  checks:
    - check: recognition
      outcome: pass
      text: The radio office of XB had recognised the body for this requirement on the day of issue.
      facts: [{record: recognition-xb-radio-office-example-laboratory-1, version: 1, interval: ['2018-06-01', null]}]
      citation: Article 7
      confidence: high
  holds: {since: '2019-03-10', until: null, next_change: null}
  asked:
    presented_on: '2020-04-01'
    known_on: '2026-11-21'
    position: 4711
    recorded: '2026-11-20T16:02:11.048Z'
    log: example
    engine: 1.4.0
"""


def list_examples(name: str) -> list[dict[str, Any]]:
    """Return valid examples of a record type, of `question` or of `answer`; the caller owns them."""
    return [deepcopy(_read_all()[name])]


@cache
def _read_all() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(_EXAMPLES)
    return found
