// Built from ncabook/live/engine by build.py. Change the sources there, not this file.
const KERNELS = "AGFzbQEAAAABPAZgBn9/f39/fwBgB39/f399f38AYAR/f39/AGAEf39/fwF/YA5/f39/f39/f399f39/fwBgBX9/f39/AAMIBwABAgMEBQUEBQFwAQEBBQMBAAEGDwJ/AUGAgAELfwBBgIABCwdtCQZtZW1vcnkCAAlmaXJlX21hc2sAAAtsaXZpbmdfbWFzawABC2RpbGF0ZV9tYXNrAAIKbGlzdF9jZWxscwADBGNvbnYABAphZGRfY2hhbmdlAAUJemVyb19kZWFkAAYLX19oZWFwX2Jhc2UDAQqCNweXBgQCfwF7BX8KewJAIAFBAUgNACACQfD///8HcSEGIAQgA0Gf5urYfGxzIQcgBf0RIQhBACEJIAJBAUghCiACQRBJIQsDQAJAIAoNACAHIAlBwfDYwH1scyEMQQAhAwJAAkAgC0UNACAAIQ0MAQsgACAGaiENIAz9ESEO/QwMAAAADQAAAA4AAAAPAAAAIQ/9DAgAAAAJAAAACgAAAAsAAAAhEP0MBAAAAAUAAAAGAAAABwAAACER/QwAAAAAAQAAAAIAAAADAAAAIRIgBiEEA0AgACAOIBL9DEOzpo1Ds6aNQ7OmjUOzpo0iE/21Af1RIhRBEP2tASAU/VH9DC01638tNet/LTXrfy01638iFP21ASIVQQ/9rQEgFf1R/QyLpmyEi6ZshIumbISLpmyEIhX9tQEiFkEY/a0BIBZBCP2tAf1RIAj9Ov0M/wAAAP8AAAD/AAAA/wAAACIW/U4gDiARIBP9tQH9USIXQRD9rQEgF/1RIBT9tQEiF0EP/a0BIBf9USAV/bUBIhdBGP2tASAXQQj9rQH9USAI/TogFv1O/YYBIA4gECAT/bUB/VEiF0EQ/a0BIBf9USAU/bUBIhdBD/2tASAX/VEgFf21ASIXQRj9rQEgF0EI/a0B/VEgCP06IBb9TiAOIA8gE/21Af1RIhNBEP2tASAT/VEgFP21ASITQQ/9rQEgE/1RIBX9tQEiE0EY/a0BIBNBCP2tAf1RIAj9OiAW/U79hgH9Zv0MAQEBAQEBAQEBAQEBAQEBAf1O/QsAACAS/QwQAAAAEAAAABAAAAAQAAAAIhP9rgEhEiAAQRBqIQAgESAT/a4BIREgECAT/a4BIRAgDyAT/a4BIQ8gBEFwaiIEDQALIAYhAyANIQAgAiAGRg0BCyADQcPmmu14bCEEIAIgA2shAyANIQADQCAAIAwgBHMiDUEQdiANc0Gt6qz/B2wiDUEPdiANc0GLzbKjeGwiDUEYdiANQQh2cyAFSToAACAEQcPmmu14aiEEIABBAWohACADQX9qIgMNAAsLIAlBAWoiCSABRw0ACwsL7AMBCn8CQCAFQQFIDQAgASADQQJ0aiEHQX8hCEEBIQlBACEKA0ACQCAGQQFIDQBBACEDIAYgCkEAIAUgCiAFSBtrbCELIAYgCUEAIAUgCkEBaiAFSBtrbCEMIAZBACAFQQAgCiAFShtrIAUgChsgCGpsIQ0DQEEBIQECQCAHIA1BACAGQQAgAyAGShtrIAYgAxsiDmogA2pBf2ogAmxBAnRqKgIAIAReDQAgByANIANqIg9BACAGIAMgBkgbIhBrIAJsQQJ0aioCACAEXg0AQQEhASAHIA9BACAGIANBAWogBkgba0EBaiACbEECdGoqAgAgBF4NACAHIAsgDmogA2pBf2ogAmxBAnRqKgIAIAReDQAgByALIANqIg8gEGsgAmxBAnRqKgIAIAReDQBBASEBIAcgD0EAIAYgA0EBaiAGSBtrQQFqIAJsQQJ0aioCACAEXg0AIAcgDCAOaiADakF/aiACbEECdGoqAgAgBF4NACAHIAwgA2oiDiAQayACbEECdGoqAgAgBF4NACAHIA5BACAGIANBAWogBkgba0EBaiACbEECdGoqAgAgBF4hAQsgACADaiABOgAAIAYgA0EBaiIDRw0ACwsgACAGaiEAIAhBAWohCCAJQQFqIQkgCkEBaiIKIAVHDQALCwv3FAcHfwF7D38EewF/BHs8fwJAIAJBAUgNACAAIAFBAWoiBCADIAJsIgVqSSABQX9qIgYgACAFaiIHSXEgACAEIAMgAkF/amxqSSABIANrQQFqIAdJcXIgACAGIAMgAkEBamxqSSAGIANqIAdJcXIhCEEAIANrIQkgA0Hw////B3EhCiAD/REhCyADQRBJIQwgASENIAAhDkEAIQ8DQCAPQQFqIRACQAJAIANBAEoNACAQIQ8MAQtBACERIAEgD0EBaiISQQAgAiASIAJIGyITayADbCIUaiEFIAEgD0EAIAIgD0EAShsiFWoiFkF/aiADbCIXaiEYQQAhGQJAAkAgDA0AQQAhGSAAIAQgAyAPQQJqIBNrbCIaakkgBiAUaiAHSXEgACAEIBRqSSAEIAMgDyATa2xqIAdJcXIgACAGIAMgD0EDaiATa2xqSSAGIBpqIAdJcXIgCHINAEEAIRkgACAEIAMgFmwiE2pJIAYgF2ogB0lxDQBBACEZIAAgBCAXakkgBCADIBUgD0F+ampsaiAHSXENAEEAIRkgACAGIAMgFSAQamxqSSAGIBNqIAdJcQ0AIAEgDyADbGohGf0MDAAAAA0AAAAOAAAADwAAACEb/QwIAAAACQAAAAoAAAALAAAAIRz9DAQAAAAFAAAABgAAAAcAAAAhHf0MAAAAAAEAAAACAAAAAwAAACEeIBghDyANIRAgBSETIA4hFCAKIR8DQCAUIBggG/0M/////////////////////yIg/a4BIiH9GwMiF2ogG/0MAAAAAAAAAAAAAAAAAAAAACIi/TcgC/1OIiP9GwMiFWogGCAh/RsCIhZqICP9GwIiGmogGCAh/RsBIiRqICP9GwEiJWogGCAh/RsAIiZqICP9GwAiJ2ogGCAcICD9rgEiIf0bAyIoaiAcICL9NyAL/U4iI/0bAyIpaiAYICH9GwIiKmogI/0bAiIraiAYICH9GwEiLGogI/0bASItaiAYICH9GwAiLmogI/0bACIvaiAYIB0gIP2uASIh/RsDIjBqIB0gIv03IAv9TiIj/RsDIjFqIBggIf0bAiIyaiAj/RsCIjNqIBggIf0bASI0aiAj/RsBIjVqIBggIf0bACI2aiAj/RsAIjdqIBggHiAg/a4BIiD9GwMiOGogHiAi/TcgC/1OIiH9GwMiOWogGCAg/RsCIjpqICH9GwIiO2ogGCAg/RsBIjxqICH9GwEiPWogGCAg/RsAIj5qICH9GwAiP2r9BwAA/VQAAAH9VAAAAv1UAAAD/VQAAAT9VAAABf1UAAAG/VQAAAf9VAAACP1UAAAJ/VQAAAr9VAAAC/1UAAAM/VQAAA39VAAADv1UAAAPIA/9AAAA/VAgGCAb/QwBAAAAAQAAAAEAAAABAAAAIiH9rgEiIP0bAyJAaiAgIAv9PyAL/U79oQEiIv0bAyJBaiAYICD9GwIiQmogIv0bAiJDaiAYICD9GwEiRGogIv0bASJFaiAYICD9GwAiRmogIv0bACJHaiAYIBwgIf2uASIg/RsDIkhqICAgC/0/IAv9Tv2hASIi/RsDIklqIBggIP0bAiJKaiAi/RsCIktqIBggIP0bASJMaiAi/RsBIk1qIBggIP0bACJOaiAi/RsAIk9qIBggHSAh/a4BIiD9GwMiUGogICAL/T8gC/1O/aEBIiL9GwMiUWogGCAg/RsCIlJqICL9GwIiU2ogGCAg/RsBIlRqICL9GwEiVWogGCAg/RsAIlZqICL9GwAiV2ogGCAeICH9rgEiIP0bAyJYaiAgIAv9PyAL/U79oQEiIf0bAyJZaiAYICD9GwIiWmogIf0bAiJbaiAYICD9GwEiXGogIf0bASJdaiAYICD9GwAiXmogIf0bACJfav0HAAD9VAAAAf1UAAAC/VQAAAP9VAAABP1UAAAF/VQAAAb9VAAAB/1UAAAI/VQAAAn9VAAACv1UAAAL/VQAAAz9VAAADf1UAAAO/VQAAA/9UCAZIBdqIBVqIBkgFmogGmogGSAkaiAlaiAZICZqICdqIBkgKGogKWogGSAqaiAraiAZICxqIC1qIBkgLmogL2ogGSAwaiAxaiAZIDJqIDNqIBkgNGogNWogGSA2aiA3aiAZIDhqIDlqIBkgOmogO2ogGSA8aiA9aiAZID5qID9q/QcAAP1UAAAB/VQAAAL9VAAAA/1UAAAE/VQAAAX9VAAABv1UAAAH/VQAAAj9VAAACf1UAAAK/VQAAAv9VAAADP1UAAAN/VQAAA79VAAAD/1QIBD9AAAA/VAgGSBAaiBBaiAZIEJqIENqIBkgRGogRWogGSBGaiBHaiAZIEhqIElqIBkgSmogS2ogGSBMaiBNaiAZIE5qIE9qIBkgUGogUWogGSBSaiBTaiAZIFRqIFVqIBkgVmogV2ogGSBYaiBZaiAZIFpqIFtqIBkgXGogXWogGSBeaiBfav0HAAD9VAAAAf1UAAAC/VQAAAP9VAAABP1UAAAF/VQAAAb9VAAAB/1UAAAI/VQAAAn9VAAACv1UAAAL/VQAAAz9VAAADf1UAAAO/VQAAA/9UCAFIBdqIBVqIAUgFmogGmogBSAkaiAlaiAFICZqICdqIAUgKGogKWogBSAqaiAraiAFICxqIC1qIAUgLmogL2ogBSAwaiAxaiAFIDJqIDNqIAUgNGogNWogBSA2aiA3aiAFIDhqIDlqIAUgOmogO2ogBSA8aiA9aiAFID5qID9q/QcAAP1UAAAB/VQAAAL9VAAAA/1UAAAE/VQAAAX9VAAABv1UAAAH/VQAAAj9VAAACf1UAAAK/VQAAAv9VAAADP1UAAAN/VQAAA79VAAAD/1QIBP9AAAA/VAgBSBAaiBBaiAFIEJqIENqIAUgRGogRWogBSBGaiBHaiAFIEhqIElqIAUgSmogS2ogBSBMaiBNaiAFIE5qIE9qIAUgUGogUWogBSBSaiBTaiAFIFRqIFVqIAUgVmogV2ogBSBYaiBZaiAFIFpqIFtqIAUgXGogXWogBSBeaiBfav0HAAD9VAAAAf1UAAAC/VQAAAP9VAAABP1UAAAF/VQAAAb9VAAAB/1UAAAI/VQAAAn9VAAACv1UAAAL/VQAAAz9VAAADf1UAAAO/VQAAA/9UP0LAAAgHv0MEAAAABAAAAAQAAAAEAAAACIg/a4BIR4gD0EQaiEPIBBBEGohECATQRBqIRMgFEEQaiEUIB0gIP2uASEdIBwgIP2uASEcIBsgIP2uASEbIB9BcGoiHw0ACyAKIRkgAyAKRg0BCyAJIBlqIRUgDiEPIA0hEANAIA8gGWogGCAZaiITQQAgAyAZIBFqIhcbIhRqQX9qLQAAIBMtAAByIBNBACADIBdBAWogA0gbIhdrQQFqLQAAciAQIBlqIhMgFGpBf2otAAByIBMtAAByIBMgF2tBAWotAAByIAUgGWoiEyAUakF/ai0AAHIgEy0AAHIgEyAXa0EBai0AAHI6AAAgD0EBaiEPIBhBAWohGCAQQQFqIRAgBUEBaiEFIBUgEUEBaiIRag0ACwsgEiEPCyANIANqIQ0gDiADaiEOIA8gAkcNAAsLC20BBH8CQAJAIANBAU4NAEEAIQQMAQtBACEFQQAhBANAIAAgBEECdGogBTYCACABIAVqLQAAIgZBAEchBwJAIAZFDQAgAkUNACACIAVqLQAAQQBHIQcLIAQgB2ohBCADIAVBAWoiBUcNAAsLIAQL6xQHCH8Bewh/CHsOfwV7AX9BACEOAkAgBEEQSA0AIAdBAm0iDyAPQR91IhBzIBBrIREgAUECdCESIARBAnQhE0EAIA9rIRRBACAPIAhsayEVIAn9EyEWIAdBf0ghF0EQIQ9BACEOA0AgDiEYIA8hDkEAIRkCQCANQQJIDQBBAiEPIAMgGEECdCIQaiEaIAUgEGohGyAGIBBqIRxBACEQA0AgDyEZIAwgEEECdGoiHSgCACEeIBz9AAAwIR8gHP0AACAhICAc/QAAECEhIBz9AAAAISICQAJAIBdFDQAgIiEjICEhJCAgISUgHyEmDAELIBUgHmohJyAVIB0oAgQiD2ohKCAeIB4gC20iKSALbGshKiAPIA8gC20iKyALbGshLCAVIS0gIiEjICEhJCAgISUgHyEmIBQhLiAbIS8DQCAnIAsgCkEAQQAgCiApIC4gCGwiD2oiECAKSBtrIBBBAEgbIC1qbGohMCAoIAsgCkEAQQAgCiArIA9qIg8gCkgbayAPQQBIGyAtamxqITEgFCEyA0ACQCACQQFIDQAgACASIAtBAEEAIAsgKiAyIAhsIg9qIhAgC0gbayAQQQBIGyAwamxqIRAgACASIAtBAEEAIAsgLCAPaiIPIAtIG2sgD0EASBsgMWpsaiEzIAIhNANAIC8iDyATaiEvICMgM/0JAAAiNSAP/QAAACI2/eYB/eQBISMgIiAQ/QkAACI3IDb95gH95AEhIiAmIDUgD0Ewav0AAAAiNv3mAf3kASEmICUgNSAPQSBq/QAAACI4/eYB/eQBISUgJCA1IA9BEGr9AAAAIjn95gH95AEhJCAfIDcgNv3mAf3kASEfICAgNyA4/eYB/eQBISAgISA3IDn95gH95AEhISAQQQRqIRAgM0EEaiEzIDRBf2oiNA0ACwsgMCAIaiEwIDEgCGohMSAyIBFGIQ8gMkEBaiEyIA9FDQALIC0gCGohLSAuIBFGIQ8gLkEBaiEuIA9FDQALCyAaIB4gBGxBAnRqICIgFiAi/eYB/ekB/QsAACAaIB0oAgAgBGxBAnRqICEgFiAh/eYB/ekB/QsAECAaIB0oAgAgBGxBAnRqICAgFiAg/eYB/ekB/QsAICAaIB0oAgAgBGxBAnRqIB8gFiAf/eYB/ekB/QsAMCAaIB0oAgQgBGxBAnRqICMgFiAj/eYB/ekB/QsAACAaIB0oAgQgBGxBAnRqICQgFiAk/eYB/ekB/QsAECAaIB0oAgQgBGxBAnRqICUgFiAl/eYB/ekB/QsAICAaIB0oAgQgBGxBAnRqICYgFiAm/eYB/ekB/QsAMCAZIRAgGUECaiIPIA1MDQALCwJAIBkgDU4NACADIBhBAnQiD2ohLiAFIA9qISsgBiAPaiEnA0AgDCAZQQJ0aiIoKAIAISkgJ/0AADAhNyAn/QAAICEfICf9AAAQISAgJ/0AAAAhIQJAIBcNACAVIClqISwgKSApIAttIi0gC2xrITAgFSEqIBQhMSArITQDQCAsIAsgCkEAQQAgCiAtIDEgCGxqIg8gCkgbayAPQQBIGyAqamxqITIgFCEvA0ACQCACQQFIDQAgACASIAtBAEEAIAsgMCAvIAhsaiIPIAtIG2sgD0EASBsgMmpsaiEQIAIhMwNAIDQiDyATaiE0ICEgEP0JAAAiNSAP/QAAAP3mAf3kASEhIDcgNSAPQTBq/QAAAP3mAf3kASE3IB8gNSAPQSBq/QAAAP3mAf3kASEfICAgNSAPQRBq/QAAAP3mAf3kASEgIBBBBGohECAzQX9qIjMNAAsLIDIgCGohMiAvIBFGIQ8gL0EBaiEvIA9FDQALICogCGohKiAxIBFGIQ8gMUEBaiExIA9FDQALCyAuICkgBGxBAnRqICEgFiAh/eYB/ekB/QsAACAuICgoAgAgBGxBAnRqICAgFiAg/eYB/ekB/QsAECAuICgoAgAgBGxBAnRqIB8gFiAf/eYB/ekB/QsAICAuICgoAgAgBGxBAnRqIDcgFiA3/eYB/ekB/QsAMCAZQQFqIhkgDUcNAAsLIA5BEGoiDyAETA0ACwsCQCAOIARODQAgB0ECbSIPIA9BH3UiEHMgEGshKiAEQQN0ITIgAUECdCEsIARBAnQhEyACQf7///8HcSEwIAJBAXEhFEEAIA9rISlBACAPIAhsayEVIAn9EyEgIAdBf0ghGANAQQAhHAJAIA1BAkgNAEECIQ8gAyAOQQJ0IhBqIRsgBSAQaiE6IAYgEGohB0EAIRADQCAPIRwgDCAQQQJ0aiIXKAIAIR4gB/0AAAAhNQJAAkAgGEUNACA1ITcMAQsgFSAeaiErIBUgFygCBCIPaiEdIB4gHiALbSIaIAtsayEtIA8gDyALbSIZIAtsayEuIBUhJyA1ITcgKSEoIDohNANAICsgCyAKQQBBACAKIBogKCAIbCIPaiIQIApIG2sgEEEASBsgJ2psaiERIB0gCyAKQQBBACAKIBkgD2oiDyAKSBtrIA9BAEgbICdqbGohEiApITEDQAJAIAJBAUgNACAAICwgC0EAQQAgCyAtIDEgCGwiEGoiDyALSBtrIA9BAEgbIBFqbGohDyAAICwgC0EAQQAgCyAuIBBqIhAgC0gbayAQQQBIGyASamxqIRAgAiEzA0AgNCIvIBNqITQgNyAQ/QkAACAv/QAAACIf/eYB/eQBITcgNSAP/QkAACAf/eYB/eQBITUgD0EEaiEPIBBBBGohECAzQX9qIjMNAAsLIBEgCGohESASIAhqIRIgMSAqRiEPIDFBAWohMSAPRQ0ACyAnIAhqIScgKCAqRiEPIChBAWohKCAPRQ0ACwsgGyAeIARsQQJ0aiA1ICAgNf3mAf3pAf0LAAAgGyAXKAIEIARsQQJ0aiA3ICAgN/3mAf3pAf0LAAAgHCEQIBxBAmoiDyANTA0ACwsCQCAcIA1ODQAgAyAOQQJ0Ig9qIRogBSAPaiEeIAYgD2ohGQNAIAwgHEECdGooAgAhHSAZ/QAAACE1AkAgGA0AIBUgHWohKCAdIB0gC20iKyALbGshEiAVIScgKSEuIB4hDwNAIApBAEEAIAogKyAuIAhsaiIQIApIG2sgEEEASBsiMyAQaiALbCEtICggCyAzICdqbGohLyApITQDQAJAIAJBAUgNACALQQBBACALIBIgNCAIbGoiMSALSBtrIDFBAEgbIRFBACEzAkAgAkEBRg0AIAAgLCARIC9qbGohEEEAITMDQCA1IBD9CQAAIA/9AAAA/eYB/eQBIBBBBGr9CQAAIA8gE2r9AAAA/eYB/eQBITUgDyAyaiEPIBBBCGohECAwIDNBAmoiM0cNAAsgFEUNAQsgNSAAIBEgMWogLWogAWxBAnRqIDNBAnRq/QkAACAP/QAAAP3mAf3kASE1IA8gE2ohDwsgLyAIaiEvIDQgKkYhECA0QQFqITQgEEUNAAsgJyAIaiEnIC4gKkYhECAuQQFqIS4gEEUNAAsLIBogHSAEbEECdGogNSAgIDX95gH96QH9CwAAIBxBAWoiHCANRw0ACwsgDkEEaiIOIARIDQALCwuSAQEHfwJAIARBAUgNACACQQJ0IQVBACEGIAJBAUghBwNAAkAgBw0AIAMgBkECdGooAgAiCCACbCIJIAJqIQogACAFIAhsIgtqIQggASALaiELA0AgCCAI/QAAACAL/QAAAP3kAf0LAAAgCEEQaiEIIAtBEGohCyAJQQRqIgkgCkgNAAsLIAZBAWoiBiAERw0ACwsLkAEBBX8CQCAEQQFIDQAgAUECdCEFQQAhBgNAIAYiB0EBaiEGAkAgAyAHai0AACACIAdqLQAAcQ0AIAFBAUgNACAGIAFsIQggByABbCEJIAAhBwNAIAf9DAAAAAAAAAAAAAAAAAAAAAD9CwAAIAdBEGohByAJQQRqIgkgCEgNAAsLIAAgBWohACAGIARHDQALCws=";
const STYLE = ".nca-player{--nca-surface: #f6f7f8;--nca-raised: #ffffff;--nca-ink: #1b2127;--nca-muted: #55606c;--nca-line: #d3d9df;--nca-edge: #79838e;--nca-accent: #0069a6;--nca-on-accent: #ffffff;--nca-chosen: #e3f0f8;color-scheme: light;}html[data-theme=\"dark\"] .nca-player,html[theme=\"dark\"] .nca-player,[data-jp-theme-light=\"false\"] .nca-player{--nca-surface: #1b2026;--nca-raised: #272e36;--nca-ink: #e9edf1;--nca-muted: #a9b4bf;--nca-line: #3b444e;--nca-edge: #8a95a1;--nca-accent: #62b7ea;--nca-on-accent: #06202f;--nca-chosen: #17394d;color-scheme: dark;}@media (prefers-color-scheme: dark){html:not([data-theme]):not([theme]) body:not([data-jp-theme-light]) .nca-player{--nca-surface: #1b2026;--nca-raised: #272e36;--nca-ink: #e9edf1;--nca-muted: #a9b4bf;--nca-line: #3b444e;--nca-edge: #8a95a1;--nca-accent: #62b7ea;--nca-on-accent: #06202f;--nca-chosen: #17394d;color-scheme: dark;}}figure.nca-figure{margin: 1.5rem auto;max-width: 46rem;container-type: inline-size;}html[data-theme] .bd-content div.cell_output .text_html:has(figure.nca-figure){padding: 0;background: none;}.nca-player,.nca-player *{box-sizing: border-box;}.nca-player{position: relative;border: 1px solid var(--nca-line);border-radius: 14px;background: var(--nca-surface);color: var(--nca-ink);font-family: inherit;font-size: 0.875rem;line-height: 1.4;overflow: hidden;}.nca-player .nca-body{display: flex;flex-direction: column;}.nca-player .nca-bed{display: flex;align-items: center;justify-content: center;padding: 0.75rem 0.75rem 0;}.nca-player .nca-stage{position: relative;overflow: hidden;width: min(100%,70vh);border: 1px solid var(--nca-line);border-radius: 8px;background: #ffffff;}.nca-player canvas{display: block;width: 100%;height: auto;image-rendering: pixelated;touch-action: none;cursor: none;}.nca-player canvas:focus-visible{outline: 3px solid var(--nca-accent);outline-offset: -3px;border-radius: 7px;}.nca-player .nca-cursor{position: absolute;aspect-ratio: 1;translate: -50% -50%;border: 1.5px solid #ffffff;border-radius: 50%;outline: 1.5px solid #1b2127;pointer-events: none;}.nca-player .nca-cursor[hidden]{display: none;}.nca-player .nca-crosshair::before,.nca-player .nca-crosshair::after{content: \"\";position: absolute;inset: calc(50% - 1px) -6px;height: 2px;background: #1b2127;box-shadow: 0 0 0 1px #ffffff;}.nca-player .nca-crosshair::after{rotate: 90deg;}.nca-player .nca-panel{display: flex;flex-direction: column;gap: 0.9rem;min-width: 0;padding: 1rem;}.nca-player .nca-readout{display: flex;justify-content: space-between;align-items: baseline;color: var(--nca-muted);font-variant-numeric: tabular-nums;}.nca-player output{display: inline;padding: 0;color: var(--nca-ink);font-weight: 600;}.nca-player .nca-steps{font-size: 1.375rem;line-height: 1;}.nca-player .nca-transport{display: grid;grid-template-columns: 1.5fr 1fr 1fr;gap: 0.5rem;}.nca-player .nca-button{display: inline-flex;align-items: center;justify-content: center;gap: 0.35rem;min-height: 44px;margin: 0;padding: 0 0.6rem;border: 1px solid var(--nca-edge);border-radius: 10px;background: var(--nca-raised);color: var(--nca-ink);font: inherit;font-weight: 500;cursor: pointer;}.nca-player .nca-play{border-color: var(--nca-accent);background: var(--nca-accent);color: var(--nca-on-accent);}.nca-player .nca-button:hover{filter: brightness(0.95);}.nca-player .nca-button:active{transform: translateY(1px);}.nca-player .nca-button:focus-visible,.nca-player input[type=\"range\"]:focus-visible,.nca-player .nca-choice input:focus-visible + .nca-tile{outline: 3px solid var(--nca-accent);outline-offset: 2px;}.nca-player fieldset{min-width: 0;margin: 0;padding: 0;border: 0;}.nca-player legend,.nca-player .nca-brush label{float: none;width: auto;margin: 0 0 0.3rem;padding: 0;color: var(--nca-muted);font: inherit;}.nca-player .nca-choice{position: relative;display: flex;flex: 1 1 0;min-width: 0;margin: 0;cursor: pointer;}.nca-player .nca-tile{display: flex;flex: 1;flex-direction: column;align-items: center;justify-content: center;min-width: 0;min-height: 44px;font-variant-numeric: tabular-nums;}.nca-player .nca-classes .nca-row{display: grid;grid-template-columns: repeat(auto-fit,minmax(3.4rem,1fr));gap: 0.25rem;}.nca-player .nca-classes .nca-tile{justify-content: flex-start;gap: 0.15rem;padding: 0.4rem 2px;border: 1px solid var(--nca-line);border-radius: 10px;background: var(--nca-raised);}.nca-player .nca-label{font-family: \"Apple Color Emoji\",\"Segoe UI Emoji\",\"Noto Color Emoji\",sans-serif;font-size: 1.5rem;line-height: 1.2;}.nca-player .nca-name{max-width: 100%;color: var(--nca-muted);font-size: 0.65rem;line-height: 1.2;text-align: center;text-wrap: balance;font-weight: 400;overflow-wrap: break-word;hyphens: auto;}.nca-player .nca-speeds .nca-row{display: flex;border: 1px solid var(--nca-line);border-radius: 10px;background: var(--nca-raised);}.nca-player .nca-speeds .nca-tile{border-radius: 9px;}.nca-player .nca-choice input:checked + .nca-tile{background: var(--nca-chosen);box-shadow: inset 0 0 0 2px var(--nca-accent);font-weight: 600;}.nca-player .nca-choice input:checked + .nca-tile .nca-name{color: var(--nca-ink);}.nca-player .nca-brush{display: grid;grid-template-columns: auto 1fr auto;align-items: center;gap: 0.75rem;}.nca-player .nca-brush label{margin: 0;}.nca-player input[type=\"range\"]{width: 100%;min-width: 0;height: 44px;margin: 0;border-radius: 10px;accent-color: var(--nca-accent);cursor: pointer;}.nca-player .nca-value{min-width: 3.6rem;text-align: right;font-variant-numeric: tabular-nums;}.nca-player .nca-hint{margin: 0;color: var(--nca-muted);font-size: 0.8125rem;}.nca-player .nca-hidden{position: absolute;width: 1px;height: 1px;margin: -1px;overflow: hidden;clip-path: inset(50%);white-space: nowrap;}figure.nca-figure > figcaption{margin-top: 0.5rem;}@container (min-width: 38rem){.nca-player .nca-body{flex-direction: row;}.nca-player .nca-bed{flex: 1 1 53%;padding: 1rem 0 1rem 1rem;}.nca-player .nca-panel{flex: 1 1 47%;justify-content: center;}}";
const VERSION = 1;
function checkDescription(description, weights) {
  if (description?.format !== "nca-live") {
    throw new Error(`live figure: not a description of an automaton (format ${
      JSON.stringify(description?.format)}, expected "nca-live")`);
  }
  if (description.version !== VERSION) {
    throw new Error(`live figure: description version ${description.version}; ` +
      `this engine reads version ${VERSION}, export the automaton again`);
  }
  checkNumbers(description);
  checkLayers(description);
  if (weights.byteLength !== description.weights_bytes) {
    throw new Error(`live figure: ${weights.byteLength} bytes of weights, ` +
      `the description expects ${description.weights_bytes}`);
  }
}
function checkNumbers(d) {
  for (const name of ["height", "width", "channels", "weights_bytes"]) {
    expect(isCount(d[name]), name, d[name], "a whole number ≥ 1");
  }
  expect(Number.isInteger(d.alpha) && d.alpha >= 3 && d.alpha < d.channels,
    "alpha", d.alpha, "the index of the channel after red, green and blue");
  expect(d.fire_rate > 0 && d.fire_rate <= 1, "fire_rate", d.fire_rate, "a probability in (0, 1]");
  expect(d.living_threshold === null || Number.isFinite(d.living_threshold),
    "living_threshold", d.living_threshold, "a number or null");
  expect(Number.isInteger(d.seed), "seed", d.seed, "a whole number");
  expect(Array.isArray(d.classes), "classes", d.classes, "a list");
  const last = Math.max(0, d.classes.length - 1);
  expect(Number.isInteger(d.class_index) && d.class_index >= 0 && d.class_index <= last,
    "class_index", d.class_index, `a whole number from 0 to ${last}`);
}
function checkLayers(d) {
  expect(Array.isArray(d.layers) && d.layers.length > 0, "layers", d.layers, "a list of layers");
  let given = d.channels;
  d.layers.forEach((layer, i) => {
    const at = (name) => `layers[${i}].${name}`;
    expect(layer.kind === "conv", at("kind"), layer.kind, '"conv", the only kind known so far');
    expect(layer.in === given, at("in"), layer.in, `${given}, what it is given`);
    for (const name of ["out", "kernel", "dilation", "bias_rows"]) {
      expect(isCount(layer[name]), at(name), layer[name], "a whole number ≥ 1");
    }
    expect(layer.kernel % 2 === 1, at("kernel"), layer.kernel, "an odd number");
    const reach = (layer.kernel >> 1) * layer.dilation;
    expect(Math.min(d.height, d.width) >= reach, "height, width", [d.height, d.width],
      `at least ${reach}, the reach of layer ${i}`);
    expect(layer.leaky === null || (layer.leaky > 0 && layer.leaky < 1),
      at("leaky"), layer.leaky, "a slope in (0, 1) or null");
    expect(layer.bias_rows === 1 || layer.bias_rows === d.classes.length,
      at("bias_rows"), layer.bias_rows, `1 or ${d.classes.length}, the number of classes`);
    expect(fits(layer.weight, 2, 2 * layer.kernel ** 2 * layer.in * layer.out, d),
      at("weight"), layer.weight, "an even offset within the weights");
    expect(fits(layer.bias, 4, 4 * layer.bias_rows * layer.out, d),
      at("bias"), layer.bias, "an offset, a multiple of 4, within the weights");
    given = layer.out;
  });
  expect(given === d.channels, `layers[${d.layers.length - 1}].out`, given,
    `${d.channels}, the channels of the state`);
}
const isCount = (value) => Number.isInteger(value) && value >= 1;
const fits = (offset, align, length, d) =>
  Number.isInteger(offset) && offset >= 0 && offset % align === 0 &&
  offset + length <= d.weights_bytes;
function expect(condition, name, given, expected) {
  if (!condition) {
    throw new Error(`live figure: ${name} is ${JSON.stringify(given)}; expected ${expected}`);
  }
}
function decodeHalf(bytes, offset, count) {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 2 * count);
  return Float32Array.from({ length: count }, (_, i) => halfToNumber(view.getUint16(2 * i, true)));
}
function decodeFloat(bytes, offset, count) {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 4 * count);
  return Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true));
}
function halfToNumber(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;  // zero and the subnormal numbers
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);  // infinities are not exported
}
function decodeBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
const PAGE_BYTES = 65536;
const ALIGNMENT = 16;
let compiled = null;  // one module for all figures of a page; each has a memory of its own
function kernels() {
  compiled ??= WebAssembly.compile(decodeBase64(KERNELS)).catch((error) => {
    throw new Error(`live figure: this browser has no WebAssembly with SIMD (${error.message})`);
  });
  return compiled;
}
const padded = (channels) => (channels + 3) & ~3;
class Engine {
  static async create(description, weights) {
    checkDescription(description, weights);
    const { exports } = await WebAssembly.instantiate(await kernels(), {});
    return new Engine(description, weights, exports);
  }
  constructor(description, weights, exports) {
    const { height, width, channels } = description;
    Object.assign(this, { height, width, channels, description });
    this.skip = true;
    this.classIndex = description.class_index;
    this.kernels = exports;
    this.memory = exports.memory;
    this.free = exports.__heap_base.value;
    const cells = height * width;
    this.cellCount = cells;
    this.stride = padded(channels);
    this.cellsAt = this.allocate(4 * cells * this.stride);
    this.fireAt = this.allocate(cells);
    this.beforeAt = this.allocate(cells);
    this.afterAt = this.allocate(cells);
    this.relevantAt = this.allocate(cells);
    this.listAt = this.allocate(4 * cells);
    this.allAt = this.allocate(4 * cells);
    new Int32Array(this.memory.buffer, this.allAt, cells).forEach((_, i, all) => { all[i] = i; });
    this.layers = description.layers.map((layer) => this.loadLayer(layer, weights));
    this.fireLimit = Math.floor(description.fire_rate * 2 ** 24);
    this.reset();
  }
  allocate(bytes) {
    const start = (this.free + ALIGNMENT - 1) & -ALIGNMENT;
    this.free = start + bytes;
    const missing = this.free - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE_BYTES));
    return start;
  }
  floats(start, count) {
    return new Float32Array(this.memory.buffer, start, count);
  }
  loadLayer(layer, bytes) {
    const rows = layer.kernel ** 2 * layer.in;
    const stride = padded(layer.out);
    const place = (values, count) => {
      const start = this.allocate(4 * count * stride);
      const target = this.floats(start, count * stride);
      for (let row = 0; row < count; row++) {
        target.set(values.subarray(row * layer.out, (row + 1) * layer.out), row * stride);
      }
      return start;
    };
    return {
      ...layer,
      stride,
      slope: layer.leaky ?? 1,
      weightAt: place(decodeHalf(bytes, layer.weight, rows * layer.out), rows),
      biasAt: place(decodeFloat(bytes, layer.bias, layer.bias_rows * layer.out), layer.bias_rows),
      outputAt: this.allocate(4 * this.cellCount * stride),
    };
  }
  get cells() {
    return this.floats(this.cellsAt, this.cellCount * this.stride);
  }
  get state() {
    const { cells, cellCount, channels, stride } = this;
    const copy = new Float32Array(cellCount * channels);
    for (let i = 0; i < cellCount; i++) {
      copy.set(cells.subarray(i * stride, i * stride + channels), i * channels);
    }
    return copy;
  }
  reset() {
    this.cells.fill(0);
    this.stepCount = 0;
    this.plant(this.width >> 1, this.height >> 1);
  }
  step() {
    const k = this.kernels;
    const { height, width, stride, cellCount, description } = this;
    const { alpha, living_threshold: threshold, seed } = description;
    const masked = threshold !== null;
    k.fire_mask(this.fireAt, height, width, this.stepCount, seed, this.fireLimit);
    if (masked) {
      k.living_mask(this.beforeAt, this.cellsAt, stride, alpha, threshold, height, width);
      k.dilate_mask(this.relevantAt, this.beforeAt, height, width);
    }
    const count = k.list_cells(
      this.listAt, this.fireAt, masked && this.skip ? this.relevantAt : 0, cellCount,
    );
    const change = this.skip
      ? this.runLayers(this.listAt, count)
      : this.runLayers(this.allAt, cellCount);
    k.add_change(this.cellsAt, change, stride, this.listAt, count);
    if (masked) {
      k.living_mask(this.afterAt, this.cellsAt, stride, alpha, threshold, height, width);
      k.zero_dead(this.cellsAt, stride, this.beforeAt, this.afterAt, cellCount);
    }
    this.stepCount += 1;
  }
  runLayers(listAt, count) {
    let input = this.cellsAt;
    let inputStride = this.stride;
    for (const layer of this.layers) {
      const biasRow = layer.bias_rows > 1 ? this.classIndex : 0;
      this.kernels.conv(
        input, inputStride, layer.in, layer.outputAt, layer.stride,
        layer.weightAt, layer.biasAt + 4 * biasRow * layer.stride,
        layer.kernel, layer.dilation, layer.slope, this.height, this.width, listAt, count,
      );
      input = layer.outputAt;
      inputStride = layer.stride;
    }
    return input;
  }
  setClass(index) {
    const classes = this.description.classes.length;
    if (!Number.isInteger(index) || index < 0 || index >= classes) {
      throw new RangeError(`live figure: class ${index}; this automaton has ${classes}`);
    }
    this.classIndex = index;
  }
  erase(x, y, radius) {
    const { cells, height, width, stride } = this;
    const distance = (a, b, n) => Math.min(Math.abs(a - b), n - Math.abs(a - b));
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const dx = distance(column, x, width);
        const dy = distance(row, y, height);
        if (dx * dx + dy * dy > radius * radius) continue;
        const at = (row * width + column) * stride;
        cells.fill(0, at, at + stride);
      }
    }
  }
  plant(x, y) {
    const wrap = (i, n) => ((i % n) + n) % n;
    const at = (wrap(y, this.height) * this.width + wrap(x, this.width)) * this.stride;
    this.cells.fill(0, at, at + this.stride);
    const { alpha } = this.description;
    this.cells.fill(1, at + alpha - 3, at + alpha + 1);
  }
  paint(pixels) {
    const { cells, cellCount, stride } = this;
    const { alpha } = this.description;
    for (let i = 0; i < cellCount; i++) {
      const a = i * stride + alpha;
      const white = 1 - Math.min(1, Math.max(0, cells[a]));
      pixels[4 * i] = 255 * (cells[a - 3] + white);
      pixels[4 * i + 1] = 255 * (cells[a - 2] + white);
      pixels[4 * i + 2] = 255 * (cells[a - 1] + white);
      pixels[4 * i + 3] = 255;
    }
  }
}
const icon = (path) =>
  `<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">${path}</svg>`;
const ICONS = {
  play: icon('<path fill="currentColor" d="M8 5.2v13.6a.8.8 0 0 0 1.2.7l11-6.8a.8.8 0 0 0 0-1.4l-11-6.8A.8.8 0 0 0 8 5.2z"/>'),
  pause: icon('<path fill="currentColor" d="M7 5h3.5v14H7zM13.5 5H17v14h-3.5z"/>'),
  step: icon('<path fill="currentColor" d="M6 5.6v12.8a.7.7 0 0 0 1.1.6l8.9-6.4a.7.7 0 0 0 0-1.2L7.1 5a.7.7 0 0 0-1.1.6zM17 5h2v14h-2z"/>'),
  reset: icon('<path fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" d="M4.5 5v5h5M5 10a7.5 7.5 0 1 1-.4 4.5"/>'),
};
const SPEEDS = [
  { label: "¼×", name: "quarter speed", stepsPerSecond: 7.5 },
  { label: "1×", name: "normal speed", stepsPerSecond: 30 },
  { label: "4×", name: "four times normal speed", stepsPerSecond: 120 },
  { label: "max", name: "as fast as this device can", stepsPerSecond: Infinity },
];
const NORMAL_SPEED = 1;
const BRUSH = { min: 1, max: 10, start: 4 };  // radius in cells
let figures = 0;  // makes names and ids unique on the page
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}
function makeButton(name, icon, label) {
  const button = make("button", { type: "button", class: `nca-button nca-${name}` });
  setButton(button, icon, label);
  return button;
}
function setButton(button, icon, label) {
  button.innerHTML = ICONS[icon];
  button.append(make("span", {}, label));
}
function makeRadios(kind, legend, options, id) {
  const inputs = options.map(({ name, checked }, value) => {
    const input = make("input", {
      type: "radio", class: "nca-hidden", name: `${id}-${kind}`, value, "aria-label": name,
    });
    input.checked = checked;
    return input;
  });
  const choices = options.map(({ content }, i) =>
    make("label", { class: "nca-choice" }, inputs[i], make("span", { class: "nca-tile" }, ...content)));
  const row = make("div", { class: "nca-row" }, ...choices);
  return { inputs, group: make("fieldset", { class: `nca-${kind}` }, make("legend", {}, legend), row) };
}
function classOptions(description) {
  return description.classes.map(({ label, name }, i) => ({
    checked: i === description.class_index,
    content: label === name
      ? [make("span", { class: "nca-name" }, name)]
      : [make("span", { class: "nca-label", "aria-hidden": "true" }, label),
        make("span", { class: "nca-name" }, name)],
  }));
}
function makeBrushSlider(id) {
  const slider = make("input", {
    type: "range", id: `${id}-brush`, min: BRUSH.min, max: BRUSH.max, value: BRUSH.start,
  });
  const value = make("span", { class: "nca-value", "aria-hidden": "true" });
  const update = () => {
    value.textContent = `${slider.value} cells`;
    slider.setAttribute("aria-valuetext", `radius ${slider.value} cells`);
  };
  slider.addEventListener("input", update);
  update();
  const label = make("label", { for: slider.id }, "Eraser");
  return { slider, group: make("div", { class: "nca-brush" }, label, slider, value) };
}
function makeStage(description, id) {
  const { height, width, alt } = description;
  const canvas = make("canvas", {
    width, height, tabindex: 0, role: "img", "aria-label": alt, "aria-describedby": `${id}-hint`,
  });
  canvas.style.aspectRatio = `${width} / ${height}`;
  const cursor = make("div", { class: "nca-cursor", "aria-hidden": "true", hidden: "" });
  const stage = make("div", { class: "nca-stage", role: "application", "aria-label": "Grid" },
    canvas, cursor);
  return { canvas, cursor, stage: make("div", { class: "nca-bed" }, stage) };
}
function makeReadout() {
  const steps = make("output", { class: "nca-steps", "aria-live": "off" }, "0");
  const rate = make("output", { class: "nca-rate", "aria-live": "off" }, "0");
  const readout = make("div", { class: "nca-readout" },
    make("span", {}, "step ", steps), make("span", {}, rate, " steps/s"));
  return { steps, rate, readout };
}
function addStyle(element) {
  const root = element.getRootNode();
  const place = root instanceof ShadowRoot ? root : document.head;
  if (place.querySelector("style[data-nca-live]")) return;
  place.append(make("style", { "data-nca-live": "" }, STYLE));
}
function buildView(element, description) {
  addStyle(element);
  const id = `nca-${++figures}`;
  const { canvas, cursor, stage } = makeStage(description, id);
  const { steps, rate, readout } = makeReadout();
  const play = makeButton("play", "play", "Play");
  const step = makeButton("step", "step", "Step");
  const reset = makeButton("reset", "reset", "Reset");
  const classes = description.classes.length > 1
    ? makeRadios("classes", "Grow into", classOptions(description), id) : { inputs: [] };
  const speeds = makeRadios("speeds", "Speed", SPEEDS.map(({ label, name }, i) =>
    ({ name: `${label}, ${name}`, checked: i === NORMAL_SPEED, content: [label] })), id);
  const { slider, group: brush } = makeBrushSlider(id);
  const hint = make("p", { class: "nca-hint", id: `${id}-hint` },
    "Drag to erase, double-tap to plant a seed. With the grid focused: arrow keys move, " +
    "E erases, S plants a seed.");
  const status = make("p", { class: "nca-hidden", role: "status" });
  const panel = make("div", { class: "nca-panel" }, readout,
    make("div", { class: "nca-transport" }, play, step, reset),
    ...(classes.group ? [classes.group] : []), speeds.group, brush, hint);
  const root = make("div", {
    class: "nca-player", role: "group", "aria-label": `Live automaton: ${description.title}`,
    "data-lm-suppress-shortcuts": "true",
  }, make("div", { class: "nca-body" }, stage, panel), status);
  element.prepend(root);
  return {
    root, canvas, cursor, steps, rate, play, step, reset, slider, status,
    classes: classes.inputs, speeds: speeds.inputs,
  };
}
const DOUBLE_TAP = { milliseconds: 350, pixels: 24 };
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const LEAP = 5;  // cells that an arrow key moves with Shift
function connectBrush({ canvas, cursor, slider }, act) {
  const { width, height } = canvas;
  const radius = () => Number(slider.value);
  const keyboard = { x: width >> 1, y: height >> 1 };
  const off = new AbortController();
  const listen = (target, type, action) =>
    target.addEventListener(type, action, { signal: off.signal });
  const cellAt = (event) => {
    const box = canvas.getBoundingClientRect();
    return {
      x: (event.clientX - box.left) / box.width * width - 0.5,
      y: (event.clientY - box.top) / box.height * height - 0.5,
    };
  };
  const nearest = ({ x, y }) => ({
    x: Math.min(width - 1, Math.max(0, Math.round(x))),
    y: Math.min(height - 1, Math.max(0, Math.round(y))),
  });
  const showCursor = ({ x, y }, crosshair) => {
    cursor.hidden = false;
    cursor.classList.toggle("nca-crosshair", crosshair);
    cursor.style.left = `${(x + 0.5) / width * 100}%`;
    cursor.style.top = `${(y + 0.5) / height * 100}%`;
    cursor.style.width = `${(2 * radius() + 1) / width * 100}%`;
  };
  const hideCursor = () => { cursor.hidden = true; };
  const eraseLine = (from, to) => {
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    const pieces = Math.max(1, Math.ceil(length / radius()));
    for (let i = 1; i <= pieces; i++) {
      const t = i / pieces;
      act.erase(from.x + t * (to.x - from.x), from.y + t * (to.y - from.y), radius());
    }
  };
  const isDoubleTap = (event, before) => before !== null &&
    event.timeStamp - before.timeStamp < DOUBLE_TAP.milliseconds &&
    Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY) < DOUBLE_TAP.pixels;
  let last = null;  // where a drag was last seen
  let tap = null;  // the last press, for double taps
  listen(canvas, "pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    const here = cellAt(event);
    if (isDoubleTap(event, tap)) {
      const { x, y } = nearest(here);
      act.plant(x, y);
      tap = null;
      return;
    }
    tap = event;
    last = here;
    act.erase(here.x, here.y, radius());
    showCursor(here, false);
  });
  listen(canvas, "pointermove", (event) => {
    const here = cellAt(event);
    showCursor(here, false);
    if (last === null) return;
    eraseLine(last, here);
    last = here;
  });
  const release = () => {
    if (last !== null) act.say("Erased cells");
    last = null;
  };
  listen(canvas, "pointerup", release);
  listen(canvas, "pointercancel", release);
  listen(canvas, "pointerleave", () => { if (last === null) hideCursor(); });
  listen(canvas, "focus", () => {
    if (canvas.matches(":focus-visible")) showCursor(keyboard, true);
  });
  listen(canvas, "blur", hideCursor);
  listen(canvas, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const where = `column ${keyboard.x + 1}, row ${keyboard.y + 1}`;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key in MOVES) {
      const leap = event.shiftKey ? LEAP : 1;
      keyboard.x = (keyboard.x + leap * MOVES[key][0] + width) % width;
      keyboard.y = (keyboard.y + leap * MOVES[key][1] + height) % height;
    } else if (key === "e" || key === " ") {
      act.erase(keyboard.x, keyboard.y, radius());
      act.say(`Erased around ${where}`);
    } else if (key === "s") {
      act.plant(keyboard.x, keyboard.y);
    } else {
      return;
    }
    event.preventDefault();  // the page must not scroll
    showCursor(keyboard, true);
  });
  return () => off.abort();
}
const FRAME_BUDGET = 10;  // milliseconds of a frame's 16 that steps may take; the page needs some
const RATE_WINDOW = 500;  // milliseconds over which steps per second are averaged
const MOST_VISIBLE = 0.3;  // share of the canvas that has to be in view to run
class Player {
  constructor(element, engine, report) {
    this.engine = engine;
    this.report = report;
    this.view = buildView(element, engine.description);
    this.context = this.view.canvas.getContext("2d");
    this.image = this.context.createImageData(engine.width, engine.height);
    this.playing = false;
    this.inView = false;
    this.stepsPerSecond = SPEEDS[NORMAL_SPEED].stepsPerSecond;
    this.frame = 0;
    this.connect();
    this.draw();
  }
  connect() {
    const { view, engine } = this;
    view.play.addEventListener("click", () => this.setPlaying(!this.playing, true));
    view.step.addEventListener("click", () => this.stepOnce());
    view.reset.addEventListener("click", () => this.reset());
    view.classes.forEach((input, index) =>
      input.addEventListener("change", () => this.setClass(index)));
    view.speeds.forEach((input, index) =>
      input.addEventListener("change", () => {
        this.stepsPerSecond = SPEEDS[index].stepsPerSecond;
      }));
    this.disconnectBrush = connectBrush(view, {
      erase: (x, y, radius) => { engine.erase(x, y, radius); this.draw(); },
      plant: (x, y) => {
        engine.plant(x, y);
        this.draw();
        this.say(`Seed planted at column ${x + 1}, row ${y + 1}`);
      },
      say: (text) => this.say(text),
    });
    this.observer = new IntersectionObserver((entries) => {
      this.inView = entries[entries.length - 1].isIntersecting;
      this.schedule();
    }, { threshold: MOST_VISIBLE });
    this.observer.observe(view.canvas);
  }
  say(text) {
    this.view.status.textContent = text;
  }
  setPlaying(playing, aloud) {
    this.playing = playing;
    setButton(this.view.play, playing ? "pause" : "play", playing ? "Pause" : "Play");
    if (aloud) this.say(playing ? "Playing" : `Paused at step ${this.engine.stepCount}`);
    this.report({ steps: this.engine.stepCount });
    this.schedule();
  }
  stepOnce() {
    if (this.playing) this.setPlaying(false, false);
    this.engine.step();
    this.draw();
    this.say(`Step ${this.engine.stepCount}`);
    this.report({ steps: this.engine.stepCount });
  }
  reset() {
    this.engine.reset();
    this.draw();
    this.say("Reset to a single seed cell");
    this.report({ steps: 0 });
  }
  setClass(index) {
    this.engine.setClass(index);
    this.view.classes[index].checked = true;
    this.say(`Now growing into ${this.engine.description.classes[index].name}`);
    this.report({ classIndex: index });
  }
  draw() {
    this.engine.paint(this.image.data);
    this.context.putImageData(this.image, 0, 0);
    this.view.steps.textContent = this.engine.stepCount;
  }
  schedule() {
    const runs = this.playing && this.inView;
    if (runs && this.frame === 0) {
      this.due = 0;
      this.lastFrame = performance.now();
      this.measured = { since: this.lastFrame, steps: 0 };
      this.frame = requestAnimationFrame((now) => this.tick(now));
    } else if (!runs && this.frame !== 0) {
      cancelAnimationFrame(this.frame);
      this.frame = 0;
      this.view.rate.textContent = "0";
    }
  }
  tick(now) {
    const elapsed = Math.max(0, now - this.lastFrame);
    this.lastFrame = now;
    this.due += elapsed / 1000 * this.stepsPerSecond;
    const steps = this.runDue();
    if (steps > 0) this.draw();
    this.measure(now, steps);
    this.frame = requestAnimationFrame((later) => this.tick(later));
  }
  runDue() {
    const end = performance.now() + FRAME_BUDGET;
    let steps = 0;
    while (this.due >= 1 && performance.now() < end) {
      this.engine.step();
      this.due -= 1;
      steps += 1;
    }
    this.due = Math.min(this.due, 1);  // what this device cannot do in time is dropped
    return steps;
  }
  measure(now, steps) {
    const { measured } = this;
    measured.steps += steps;
    const elapsed = now - measured.since;
    if (elapsed < RATE_WINDOW) return;
    this.view.rate.textContent = Math.round(1000 * measured.steps / elapsed);
    this.report({ steps: this.engine.stepCount });
    this.measured = { since: now, steps: 0 };
  }
  destroy() {
    this.playing = false;
    this.schedule();
    this.observer.disconnect();
    this.disconnectBrush();
    this.view.root.remove();
  }
}
async function mount(element, description, weights, report = () => {}) {
  try {
    const engine = await Engine.create(description, weights);
    const player = new Player(element, engine, report);
    element.ncaEngine = engine;
    element.ncaPlayer = player;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!calm) player.setPlaying(true, false);
    return player;
  } catch (error) {
    const message = document.createElement("p");
    message.setAttribute("role", "alert");
    message.textContent = error.message;
    element.prepend(message);
    throw error;
  }
}
async function render({ model, el }) {
  const view = model.get("weights");
  const weights = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const figure = document.createElement("figure");
  figure.className = "nca-figure";
  el.append(figure);
  const report = ({ steps, classIndex }) => {
    if (steps !== undefined) model.set("steps_shown", steps);
    if (classIndex !== undefined) model.set("class_index", classIndex);
    model.save_changes();
  };
  const description = { ...JSON.parse(model.get("description")), class_index: model.get("class_index") };
  const player = await mount(figure, description, weights, report);
  const follow = () => {
    const index = model.get("class_index");
    if (index !== player.engine.classIndex) player.setClass(index);
  };
  model.on("change:class_index", follow);
  follow();  // Python may have changed it while the engine was starting
  return () => {
    model.off("change:class_index", follow);
    player.destroy();
  };
}
export { Engine, mount };
export default { render };
