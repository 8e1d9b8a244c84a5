#!/usr/bin/env python3
"""Exports as hospitals write them and inputs after public bug reports of other loaders, all made up: gen.py FOLDER writes them.
What `maille-worker check` says of each stands in expected.tsv."""
import gzip
import os
import sys

os.chdir(sys.argv[1])


def w(name, content):
    with open(name, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode("utf-8"))


# --- as hospitals write them ---
w("esme.yaml", """dictionary: esme
version: 1
key: patient
rows: one
missing: ["", "NA", "ND", "inconnu"]
variables:
  - { name: age, label: Age, type: integer, min: 0, max: 120 }
  - { name: poids, label: Poids, type: real, units: kg, min: 20, max: 300, resolution: 0.1 }
  - { name: ca153, label: CA 15-3, type: real, units: kU/l, min: 0, max: 100000, resolution: 0.1 }
  - { name: sexe, label: Sexe, type: category, levels: ["F", "M"] }
  - { name: her2, label: HER2, type: category, levels: ["négatif", "positif"] }
  - { name: date_diag, label: Date diagnostic, type: date, min: 1990-01-01, max: 2026-12-31 }
  - { name: deces, label: Décès, type: boolean }
""")
H="patient;age;poids;ca153;sexe;her2;date_diag;deces"
base=["P%d;60;61,5;30,2;F;négatif;01/05/2016;0"%i for i in range(1,13)]
J=lambda rows,nl="\n":(nl.join([H]+rows)+nl)
w('01_cp1252_bom_crlf.csv', b'\xef\xbb\xbf'+J(base,"\r\n").encode('utf-8'))
w('01b_cp1252.csv', J(base,"\r\n").encode('cp1252'))
w('01c_utf8_plus_one_cp1252.csv', J(base).encode()+ "P99;60;61,5;30,2;F;négatif;01/05/2016;0\n".encode('cp1252'))
w('01d_utf16.csv', J(base).encode('utf-16'))
w('02_dates.csv', J(["P1;60;61,5;30,2;F;négatif;00/05/2016;0","P2;60;61,5;30,2;F;négatif;31/02/2019;0","P3;60;61,5;30,2;F;négatif;2016-05-01;0","P4;60;61,5;30,2;F;négatif;01/05/16;0","P5;60;61,5;30,2;F;négatif;05/2016;0","P6;60;61,5;30,2;F;négatif;2016;0","P7;60;61,5;30,2;F;négatif;01/05/2016 00:00:00;0","P8;60;61,5;30,2;F;négatif;05/13/2016;0","P9;60;61,5;30,2;F;négatif;42491;0","P10;60;61,5;30,2;F;négatif;01-05-2016;0","P11;60;61,5;30,2;F;négatif;2016-05-01T00:00:00;0","P12;60;61,5;30,2;F;négatif;UN/05/2016;0","P13;60;61,5;30,2;F;négatif;05/12/2016;0","P14;60;61,5;30,2;F;négatif;29/02/2019;0","P15;60;61,5;30,2;F;négatif;1/5/2016;0","P16;60;61,5;30,2;F;négatif;20160501;0"]))
w('03_thousands_comma.csv', J(["P%d;60;60;%s;F;négatif;01/05/2016;0"%(i,v) for i,v in enumerate(["1,500","2,000","12,500","30","3,000"])]))
w('03b_thousands_dot.csv', J(["P%d;60;60;%s;F;négatif;01/05/2016;0"%(i,v) for i,v in enumerate(["1.500","2.000","12.500","30","3.000"])]))
w('03c_thousands_space.csv', J(["P1;60;60;1 500,5;F;négatif;01/05/2016;0","P2;60;60;1\u00a0500,5;F;négatif;01/05/2016;0","P3;60;60;1\u202f500,5;F;négatif;01/05/2016;0"]))
w('04_missing_words.csv', J(["P1;NA;ND;inconnu;NA;ND;;NA","P2;n.a.;Inconnu;NC;Non fait;INCONNU;UN;?","P3;-1;999;;F;;NA;2"]))
w('05_sci_pseudonym.csv', J(["1,23457E+12;%d;61,5;30,2;F;négatif;01/05/2016;0"%(40+i) for i in range(6)]+["9,87654E+11;%d;61,5;30,2;F;négatif;01/05/2016;0"%(40+i) for i in range(6)]))
w('05b_leading_zeros.csv', J(["%s;60;61,5;30,2;F;négatif;01/05/2016;0"%k for k in ["007","7","p7","P7"," P7","P7\u00a0"]]))
w('06_dup_header.csv', J(base).replace("sexe;her2","sexe;sexe;her2").replace(";F;",";F;M;"))
w('07_accents_header.csv', J(base).replace(H,"Patient ;Âge;Poids (kg);CA 15-3;Sexe;HER2;Date de diagnostic;Décès"))
w('08_quoted_newlines.csv', 'patient;age;poids;ca153;sexe;her2;date_diag;deces;commentaire\nP1;60;61,5;30,2;F;négatif;01/05/2016;0;"ligne 1\nligne ""2""\r\nligne 3"\nP2;abc;61,5;30,2;F;négatif;01/05/2016;0;ok\nP3;60;61,5;30,2;F;négatif;01/05/2016;0;"jamais fermé\nP4;1;1;1;F;négatif;01/05/2016;0;x\n')
w('08b_quote_inside.csv', 'patient;age;poids;ca153;sexe;her2;date_diag;deces;commentaire\nP1;60;61,5;30,2;F;négatif;01/05/2016;0;tumeur de 2" droite\nP2;abc;61,5;30,2;F;négatif;01/05/2016;0;"dit "oui" hier"\nP3;xyz;61,5;30,2;F;négatif;01/05/2016;0;ok\n')
w('09_trailing_cols.csv', J([r+";;;" for r in base]).replace(H,H+";;;"))
w('09b_trailing_rows_only.csv', J([r+";;" for r in base[:3]]+[";;;;;;;",";;;;;;;","Total;720;61,5;30,2;F;négatif;01/05/2016;0"]))
w('10_nul.csv', J(base[:2]).encode()+b"P3;6\x000;61,5;30,2;F;n\xc3\xa9gatif;01/05/2016;0\nP4;abc;61,5;30,2;F;n\xc3\xa9gatif;01/05/2016;0\n")
w('11_long.csv', 'patient;age;poids;ca153;sexe;her2;date_diag;deces;c\nP1;60;61,5;30,2;F;négatif;01/05/2016;0;'+'x'*1000000+'\nP2;60;61,5;30,2;'+'F'*5000+';négatif;01/05/2016;0;'+'y'*1100000+'\nP3;zz;61,5;30,2;F;négatif;01/05/2016;0;\n')
w('12_sep_line.csv', "sep=;\n"+J(base))
w('12b_title.csv', "Export ESME du 12/03/2026;;;;;;;\n;;;;;;;\n"+J(base))
w('13_bool_level.csv', J(["P1;60;61,5;30,2;Femme;Négatif;01/05/2016;Oui","P2;60;61,5;30,2;f;NEGATIF;01/05/2016;VRAI","P3;60;61,5;30,2;1;négatif ;01/05/2016;O","P4;60;61,5;30,2;F;ne\u0301gatif;01/05/2016;1.0","P5;60;61,5;30,2;F;négatif\u00a0;01/05/2016;FAUX"]))
w('14_numbers.csv', J(["P1;6E1;6,15E1;1e2;F;négatif;01/05/2016;0","P2;0x20;inf;nan;F;négatif;01/05/2016;0","P3;+60;61.5;1,5.2;F;négatif;01/05/2016;0","P4;60,0;61,55;,5;F;négatif;01/05/2016;0","P5;60 ans;61,5kg;<30;F;négatif;01/05/2016;0","P6;1.000;61,5;1.000;F;négatif;01/05/2016;0","P7;060;61,;30,2;F;négatif;01/05/2016;0"]))
w('15_doubled.csv', J(base+base))
w('15b_contradict.csv', J(base[:2]+["P1;30;99,5;30,2;M;positif;01/05/2010;1"]))
w('16_cr_only.csv', J(base,"\r"))
w('16b_mixed.csv', (H+"\r\n"+base[0]+"\n"+base[1]+"\r"+base[2].replace(';60;',';x;')+"\r\n\n"+base[3].replace(';60;',';y;')+"\n"))
w('17_comma.csv', J(base).replace(',','.').replace(';',',') )
w('18_empty.csv', ''); w('18b_header.csv', H+"\n")
w('19_manybad.csv', J(["P%d;%d;61,5;30,2;F;negatif;01/05/2016;0"%(i,60 if i%3 else 999) for i in range(100000)]))
w('20_icdo.csv', 'patient;age;poids;ca153;sexe;her2;date_diag;deces;morpho\n'+"\n".join("P%d;60;%s;30;F;négatif;01/05/2016;0;8500.3"%(i,"61,5" if i%2 else "60") for i in range(10))+"\n")
w('21_html.xls.csv', '<html><table><tr><td>patient</td></tr></table></html>\n'); w('21b.csv', b'PK\x03\x04'+bytes(range(256)))

# --- after bug reports of other loaders (each named in expected.tsv's first column by its number) ---
D = """dictionary: bugs
version: 1
key: pid
missing: %s
variables:
  - { name: age,   label: Age,   type: integer, min: 0, max: 120 }
  - { name: psa,   label: PSA,   type: real, min: 0, max: 5000, resolution: 0.01 }
  - { name: arm,   label: Arm,   type: category, levels: %s }
  - { name: d0,    label: Date,  type: date, min: 1990-01-01, max: 2026-12-31 }
  - { name: death, label: Death, type: boolean }
"""
w("bugs.yaml", D % ('["", "NA"]', '["A", "B"]'))
w("bugs-999.yaml", D % ('["", "NA", "999", "99"]', '["A", "B"]'))
w("bugs-own.yaml", (D % ('["", "NA"]', '["A", "B"]')).replace("max: 5000,", 'max: 5000, missing: ["999", "99"],'))
w("bugs-na-level.yaml", D % ('["", "NA"]', '["A", "NA"]'))
w("bugs-norway.yaml", D % ('["", "~", "null"]', '[no, yes, on, 1.0, 1e3, ~]'))
w("bugs-noresolution.yaml", (D % ('["", "NA", "999"]', '["A", "B"]')).replace(", resolution: 0.01", ", resolution: 1"))
HEADER = "pid,age,psa,arm,d0,death\n"
R = ["p1,50,1.25,A,2001-02-03,0\n", "p2,60,2.5,B,2002-02-03,1\n", "p3,70,3,A,2003-02-03,0\n"]
ok = HEADER + "".join(R)
w("c00_good.csv", ok)
w("c01_cr.csv", ok.replace("\n", "\r"))
w("c02_crcrlf.csv", ok.replace("\n", "\r\r\n"))
w("c03_doublebom.csv", "\ufeff\ufeff" + ok)
w("c03b_bom_quoted.csv", "\ufeff" + ok.replace("pid,", '"pid",'))
w("c04_concat.csv", ok + HEADER + "p4,50,1,B,2001-01-01,0\n")
w("c04b_concat_bom.csv", ok + "\ufeff" + "p4,50,1,B,2001-01-01,0\n")     # cat of two BOM files, second without header
w("c05_cut_lastfield.csv", HEADER.replace("d0,death", "death,d0").replace("psa,", "").replace("death,d0","death,d0,psa") + "p1,50,A,0,2001-02-03,1234.5\np2,60,B,1,2002-02-03,12")  # was 1287.5
w("c06_missing_float.csv", HEADER + "p1,50,999,A,2001-02-03,0\np2,60,999.0,B,2002-02-03,1\np3,70,999.00,A,2003-02-03,0\np4,99.0,1,A,2003-02-03,0\np5,+99,1,A,2003-02-03,0\np6,099,1,A,2003-02-03,0\n")
w("c07_global_missing.csv", HEADER + "p1,99,99,A,2001-02-03,0\np2,60,99,B,2002-02-03,1\n")
w("c08_na_level.csv", HEADER + "p1,50,1,NA,2001-02-03,0\np2,60,2,A,2002-02-03,1\n")
w("c09_norway.csv", HEADER + "p1,50,1,no,2001-02-03,0\np2,60,2,1.0,2002-02-03,1\np3,60,2,1e3,2002-02-03,1\np4,60,null,on,2002-02-03,1\n")
w("c10_dup_unused.csv", "pid,age,psa,arm,d0,death,Complete?,Complete?\n" + "".join(r.strip()+",2,2\n" for r in R))
w("c11_pipe.csv", ok.replace(",", "|"))
w("c12_ctrlz.csv", ok + "\x1a")
w("c13_sqlfooter.csv", ok + "\n(3 rows affected)\n")
w("c14_rownames_unnamed.csv", HEADER + "".join('"%d",%s' % (i+1, r) for i, r in enumerate(R)))  # R write.table: header one short
w("c15_bigid.csv", HEADER + "9007199254740993,50,1,A,2001-02-03,0\n9007199254740992,60,2,B,2002-02-03,1\n")
w("c16_nfc_nfd.csv", HEADER + "caf\u00e9-1,50,1,A,2001-02-03,0\ncafe\u0301-1,60,2,B,2002-02-03,1\n")
w("c17_xlsx.csv", b"PK\x03\x04\x14\x00\x06\x00\x08\x00" + b"\x00"*40)
w("c17b_gzip.csv", gzip.compress(ok.encode(), mtime=0))
w("c17c_html_xls.csv", "<html><table><tr><td>pid</td><td>age</td></tr><tr><td>p1</td><td>50</td></tr></table></html>\n")
w("c18_utf16_nobom.csv", ok.encode("utf-16-le"))
w("c18b_utf32.csv", "\ufeff".encode("utf-32-le") + ok.encode("utf-32-le"))
w("c19_quoted_decimal_comma.csv", HEADER + 'p1,50,"1,25",A,2001-02-03,0\np2,60,"1,500",B,2002-02-03,1\n')
w("c20_macroman.csv", (HEADER + "p1,50,1,A,2001-02-03,0\n").encode() + "caf\u00e9,60,2,B,2002-02-03,1\n".encode("mac_roman"))
w("c21_float_int.csv", HEADER + "p1,50.0,1,A,2001-02-03,0\np2,1e2,2,B,2002-02-03,1\np3,5e-1,2,B,2002-02-03,1\n")
w("c22_hex_nan_inf.csv", HEADER + "p1,0x32,NaN,A,2001-02-03,0\np2,60,Inf,B,2002-02-03,1\np3,60,1e400,B,2002-02-03,1\np4,60,1e-400,B,2002-02-03,1\n")
w("c23_minus_zero.csv", HEADER + "p1,-0,-0.00,A,2001-02-03,0\np2,60,-0.0000000000000000001,B,2002-02-03,1\n")
w("c24_datetime.csv", HEADER + "p1,50,1,A,2001-02-03 00:00:00.000,0\np2,60,2,B,2002-02-03T00:00:00Z,1\n")
w("c25_feb30.csv", HEADER + "p1,50,1,A,2001-02-29,0\np2,60,2,B,30/02/2002,1\np3,60,2,B,1900-01-01,1\n")
w("c26_backslash_quote.csv", 'pid,age,psa,arm,d0,death,note\np1,50,1,A,2001-02-03,0,"said \\"yes\\", left"\np2,60,2,B,2002-02-03,1,"x"\n')
w("c27_unclosed.csv", 'pid,age,psa,arm,d0,death,note\np1,50,1,A,2001-02-03,0,"open\np2,60,2,B,2002-02-03,1,x\np3,60,2,B,2002-02-03,1,"y"\n')
w("c28_swallow.csv", 'pid,note,age,psa,arm,d0,death\np1,"5,50,1,A,2001-02-03,0\np2,",60,2,B,2002-02-03,1\np3,z,60,2,B,2002-02-03,1\n')
w("c29_trailing_cut.csv", "pid,age,psa,arm,d0,death\np1,50,1,A,2001-02-03,\np2,60,2,B\n")
w("c30_thinspace.csv", HEADER + "p1,50,1\u202f250.5,A,2001-02-03,0\np2,60,1\u00a0250,B,2002-02-03,1\n")
w("c31_unicode_digits.csv", HEADER + "p1,\uff15\uff10,1,A,2001-02-03,0\np2,60,\u22121,B,2002-02-03,1\n")
w("c32_casedup.csv", HEADER.replace("pid", "PID") + "".join(R))
w("c33_headeronly.csv", HEADER)
w("c34_sniff_pipe_semicolon.csv", "pid;age;psa;arm;d0;death;note, free, text, long, one, two, three\n" + "".join(r.strip().replace(",", ";") + ";x\n" for r in R))
w("c35_excel_text.csv", HEADER + '="p1",="50",1,A,2001-02-03,0\n\'p2,60,2,B,2002-02-03,1\n')
w("c36_vt_ff.csv", HEADER + "p1\x0b,50,1,A,2001-02-03,0\np2\u200b,60,2,B,2002-02-03,1\np2,60,2,B,2002-02-03,1\n\u2028")
w("c37_comma_decimal_semicolon_int.csv", ok.replace(",", ";").replace("1.25", "1,25").replace("2.5", "2,5"))

# --- who objects ---
w("objections-unknown.csv", "pseudonym,date,purposes\nP999,2026-01-01,all\n")
w("objections-empty.csv", "pseudonym,date,purposes\n")
w("c38_objection_p4.csv", "pseudonym,date,purposes\np4,2026-01-01,all\n")
