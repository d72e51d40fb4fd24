/// The page's looks. Colours are ``PagePalette``'s.
enum PageStyle {
  static let text: StaticString = #"""
    :root{color-scheme:light dark;--ink:#1b1e24;--dim:#5b6472;--rule:#dde1e8;--wash:#f5f6f8;
      --ui:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
    @media screen and (prefers-color-scheme:dark){
      :root{--ink:#e4e7ec;--dim:#a2abb8;--rule:#31363f;--wash:#1d2027}}
    *{box-sizing:border-box}
    [hidden]{display:none!important}
    body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 var(--ui);overflow-wrap:anywhere;
      display:flex;flex-direction:column}
    main{padding:1.5rem clamp(1rem,4vw,3rem) 4rem;width:100%;max-width:64rem;margin:0 auto}
    h1{font-size:1.25rem;margin:0 0 1rem}
    small{color:var(--dim);font-size:.8em;font-weight:400;font-variant-numeric:tabular-nums}

    /* The legend, which the source has last. */
    aside{order:-1;padding:1rem clamp(1rem,4vw,3rem);border-bottom:1px solid var(--rule);background:var(--wash);
      max-height:45vh;overflow:auto}
    aside p,aside ul{margin:0}
    aside input{font:inherit;width:100%;margin:.6rem 0 0;padding:.35rem .6rem;border:1px solid var(--dim);
      border-radius:6px;background:var(--paper);color:inherit}
    .legend h2{font-size:.8rem;font-weight:600;color:var(--dim);margin:.8rem 0 .3rem}
    .legend ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.3rem}
    .legend button{font:600 .8rem/1.3 var(--ui);text-align:start;color:var(--c);background:var(--paper);
      border:1px solid var(--rule);border-bottom:3px var(--line,solid) var(--c);border-radius:5px;
      padding:.15rem .5rem .1rem;cursor:pointer;max-width:100%}
    .legend button:disabled{cursor:default}
    .legend button[aria-pressed=true]{background:var(--c);color:var(--paper)}
    .legend button[aria-pressed=true] small{color:inherit}
    @media screen and (min-width:75rem){
      body{display:grid;grid-template-columns:minmax(0,1fr) 19rem}
      aside{order:0;position:sticky;top:0;height:100vh;max-height:none;border:0;
        border-inline-start:1px solid var(--rule);padding:1.5rem 1.25rem}
    }

    /* A document. Far ones are laid out when they come near. */
    .doc{border-top:1px solid var(--rule);padding:1rem 0 1.1rem;
      content-visibility:auto;contain-intrinsic-size:auto 16rem}
    .doc>header{display:flex;flex-wrap:wrap;column-gap:.6rem;align-items:baseline;margin-bottom:.1rem}
    .doc h2{font-size:.8rem;font-weight:600;color:var(--dim);margin:0}
    .failure p{margin:.3rem 0 0;border-inline-start:4px solid var(--c5);padding-inline-start:.8rem}
    .note{color:var(--dim);margin:.6rem 0 0;font-size:.9em}

    /* The text: lines stand as far apart as the lanes below and the arcs above them need. Of the room between lines
       half would go above the first one; the margins give each side what is its own. */
    .body{position:relative;display:flow-root;padding:.1px 0}
    .text{--step:4px;--lanes:0;--arcs:0px;--below:calc(var(--lanes)*var(--step));
      font-size:1.125rem;line-height:calc(1.7rem + var(--below) + var(--arcs));
      margin-top:calc((var(--arcs) - var(--below))/2 + .2rem);
      margin-bottom:calc((var(--below) - var(--arcs))/2 + .2rem);
      padding-right:var(--gutter,0);white-space:pre-wrap;unicode-bidi:plaintext;text-align:start;tab-size:4}
    .s{--d:0;border-bottom:2px var(--line,solid) var(--c);padding-bottom:calc(var(--d)*var(--step));
      -webkit-box-decoration-break:clone;box-decoration-break:clone}
    .s.q3{border-bottom-width:3px}
    .s.in{background:color-mix(in srgb,var(--c) 11%,transparent)}
    .s[data-l]::after{content:"\2060" attr(data-l);font:700 .62em/1 var(--ui);color:var(--c);
      margin-inline:.3em .1em;unicode-bidi:isolate;white-space:nowrap;user-select:none;-webkit-user-select:none}
    .s.on{background:color-mix(in srgb,var(--c) 30%,transparent)}

    .strut{white-space:nowrap}
    .strut::before{content:"";display:inline-block;width:0;height:var(--h);vertical-align:text-bottom}
    .strut::after{content:"\2060"}

    /* Arcs. */
    .body>svg{position:absolute;inset:0;width:100%;height:100%;overflow:visible;pointer-events:none}
    .arc path{fill:none;stroke:var(--c);stroke-width:1.4}
    .arc.q1 path:first-child{stroke-dasharray:6 3}.arc.q2 path:first-child{stroke-dasharray:1.5 2.5}
    .arc .head{fill:var(--c);stroke:none}
    .arc .hit{stroke:transparent;stroke-width:9;pointer-events:stroke}
    .arc text{font:600 11px var(--ui);fill:var(--c);text-anchor:middle;dominant-baseline:central;
      paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round;pointer-events:auto;cursor:default}
    .hot .arc:not(.on){opacity:.13}
    .arc.on path{stroke-width:2.2}

    /* Relations. */
    .relations{list-style:none;margin:.7rem 0 0;padding:0;column-gap:2rem;font-size:.93rem}
    .relations:has(>:nth-child(4)){columns:20rem}
    .relations li{break-inside:avoid;padding:.14rem .4rem;margin-inline:-.4rem;border-radius:5px}
    .r .e{border-bottom:2px var(--line,solid) var(--c)}
    .r .p{color:var(--c);font-weight:600;font-size:.85em;margin-inline:.35em .1em}
    .r.on,.event.on,dd.on{background:var(--wash)}
    .more{list-style:none;margin:.3rem 0 0;padding:0;font-size:.9em}
    .more li{display:inline-block;margin-inline-end:1rem}
    .more b{color:var(--c);font-size:.8em}

    /* Events. */
    .events{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,17rem),1fr));gap:.7rem;margin-top:.9rem;
      align-items:start}
    .event{border:1px solid var(--rule);border-top:3px var(--line,solid) var(--c);border-radius:6px;
      padding:.5rem .8rem .6rem;break-inside:avoid}
    .event h3{margin:0 0 .25rem;font-size:.93rem;color:var(--c)}
    .event dl{margin:0;display:grid;grid-template-columns:minmax(3.5em,max-content) minmax(0,1fr);gap:.15rem .8rem;
      font-size:.93rem}
    .event dl>div{display:contents}
    .event dt{grid-column:1;color:var(--c);font-size:.85em;padding-top:.1em;max-width:9em}
    .event dd{grid-column:2;margin:0;border-radius:3px}
    :focus-visible{outline:2px solid var(--c,var(--ink));outline-offset:1px}

    /* On paper: one width, which the arcs are drawn for just before. */
    .printing .doc{content-visibility:visible}
    .printing main{width:680px;max-width:none;padding:0;margin:0}
    @media print{
      @page{margin:15mm}
      :root{color-scheme:light}
      body{print-color-adjust:exact;-webkit-print-color-adjust:exact}
      main{width:680px;max-width:none;padding:0;margin:0}
      aside{max-height:none;overflow:visible;border:0;padding:0 0 1rem;background:none}
      aside input{display:none}
      .doc{content-visibility:visible}
      .doc>header{break-after:avoid}
      .body:not(.long){break-inside:avoid}
      /* Pages would tear the arcs of a long text from it; its relations are in the list. */
      .body.long>svg,.body.long .strut,html:not(.printing) :is(.body>svg,.strut){display:none}
      .body.long .text,html:not(.printing) .text{--arcs:0px!important;--gutter:0!important}
    }

    """#
}
