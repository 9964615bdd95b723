// Built from ncabook/live/engine by build.py. Change the sources there, not this file.
const core = () => {
const TRAIN = "H4sIAAAAAAACA81bW48cx3Xu7um59szOfWZnZnd5qndJLpcURd1WN4pi68olZdkIgjwEvoixldi9I1tc0rIDShoGcBAH0YMj0UASOIgQJ3AerMQ2EiCAHURBXuMgQF78lJfYCmIggH9AJsr3naqeC7k0bCcxssB0d52uqq465zuXOlXrXb76ku95nv/R6IXcZDLxJy94+NUmk9cmsz/vhYJ9wJuclkvuzWveC3lcXwPJ814I+Ko4a1SxVfjn5aqR5we5MF8olsqVMO+/7Pt+Pud7fqEeTPzkxg0/mnjJP+FW/KJfKbz04kufOfj1wKtdO7j8qU9/7HMvfurXPnntqpeVr3784PK1j3/S8yNXfvHaZ1/2Avf2Vz9z8LnLB5/wchVbHn/m6lWv4ArXPnvwaa+4Ygu/cvnj+1q1FF7+xOWXvEr0sY998sXLL+PF1RdzfuVPD6LHvMQTfzf4wo3fuMFHbze44R6D3eCLfJRAvJSXcSpeUh5LkCZ+Kv44jU75/iTxtrPW27Zt7NmKKSnaRZoUrkV/4btvfWn+rTeybz0U3HSPud3g99xjuBt8xT3md4O33WNhN/gT91jcDf7MPZZ2g6+7x/Ju8A33GO0Gf+keq7vBX7vHym7wnexRfExsNvRxElxLd4N3+Rz91rDQmviv5Sb+6+H1LUzUFFhRhx8X+ajDj0vjuDyffGUcR5i+n8bVsamRrqM1K3zUEcR1KaemIbgl/rXUNPlGRyxlDCZupaZN0tcticy2AzMdQddj0w3OB+f54kLNkxXp6rsextdPvB3LSLPq6ty/V/P4JquXVNN4wImjEA/3ZSjDxLsQj0bvoPIkfef1eO1rpA8uyUCGqQz2ZDTCZ9aekC9+LfGerXnotr7UGwoVjhyEJEzHyavpWF8M2cOlEWgfRAd45m9vJI29mh9JZdo067I6bZuNadWjkuIX4JfDzxyRuhlgRP/5/vvvF6/EfTPMnUfznhyR9elf+bFMRzk3ABBRCpZK/lLJc6XphwNv+kuB5/MS8JKTjelTqFLzwpIOIvubVv1b/qbPT38ZL2SA+WBoR6bVEMXF3/TPfYx7iPnHw5oXgSX9ZzjTfuIfmIGV2JWnwYq69DmyvlTGbmQ7gSerH32E3Zs+Ww6eqRGcLbxHe1SKe2PTAqVHFpsR5Je7ZoysoLHpaY/kl/T3Z5xqLfZKEPVktEDqiWHLQRKw5TB53Y46kjZ6azS+cOMGwNdEKXvOSZD80Xs//N6r46umBUgNrUKYXu48rpxfU3rpXZ7HKbYg7SK+UXwpHoyTv/n9H7xZHKdX8bW/+9H33n1tfBUYbLwig6vJOz/8+vvFMYp1Lf7Od7/11c+zuIpiUnrlqoR7ZhCh8/zTBDJm1rZfAS8PMFJ9HqGKdKSg3Awx011Mc5j8/Xt/8B+fTw1xV0hNAezpUS97AHE1uPNMI6mhI/C4Q1tDvEdW1SIoSBK8on0kuSvGULH0dQ1ahs4dWvNs3lcNMaHtrCUrZJSKJaZ0QrB7CrxPo4DiaaQYbyNdoAgpskg5Q8qZOaWXvOtRhHkiLk/EmaeJtxX9pMImHqSsYbVVWBiIScJrChIIf6GvhkVDw6Lh5QwNKwCNiTHJgvKAdkktarwJCN6AkTdbpKnJjo/OLH58bOYX4uNjOY7K5XG8PY57chwMSBXSJ+SY3nfkmFMFc1INkzkFyvHU3CUdattpKdECTlJzN2RYZU1zRo5i0GxyD5pMMFxIJr7Xysa/Yu6bicPcLyqtB9BioC12QfgvK6oH2ddDHKs6EvMw5l7dM49IwTwK6Z4Fmwpydj9+LBHB78LInJNHE5+/iyN8SdAVqY/LaTmrnVMZEtlUaZ+XRGlPgGZQNsn7/pW4m+Q+DXQ9sR14cR8aYgjvCtgbPwkUlRJ1Z7D0o5TzGkjpwgj2GFZ6ZHJS1NdFMTJKcuN9dghDEgl0KNh3DYrzBk/hy3l0/4h6igqqPpWi9d2SSyVK8Qk49S6lITSg++i0ik5pwVXH83K/CandFi606S3eOjPgELWQ0gJ0iVpQZJFyhpQzi2AmdAeALvCWl5AIDolgfgQ4fMAB+acYsFDrFOAP3IZuB2sH8qHCRdFtiBeTlJ/ltxMWEjmnhYflrMBm3jW2xlc25ZxsA8dH5Z4nv/sPz51r/KaajR7Ix22dgS0AubtyYrHOFuzPOUJcduTkk55343H7AmJ5zCkVzMSWaeXosomB8+AIcTOUB+HzW9RgGli8vVdr96p+pFa+ImdkCByx9hhGQPKcs/R05t/37eRvqQUmzCtmgnN1AWZrBoT86tApdMiNh0C8T2USa09OXVUD4x7nrszGVMPZq8WOI8DmFCCFeYHHoTz+rLL/0eSF1DwKxZE0PiuFCyQuxDbWydwhohk6O6ehRi+LaAYAvkI/7ixFNKD3Lim6pLcnnUMjmnlvixFNaSGioYgHs4imp2528FNENL15RDN0OhUfFtHESxFNvBTRxP/rEQ1DCgztjhHNgNo5sBHNUCOaISOa3lJEM+TIhodFND0zZMuejWic/UYXLqjpzIKavA1qwnlQM7RBzXAe1HRuD2ryS0FNeHhQ01xw9ephOtZr9Jw/H9BD5NHQiYeBlykqzHp0CCG+38Z4gI0eAg70N2TgcSXu4bNgRI+GmBPMgEvuwKJJjOG0rKynS/LgH4RutQ72UWYKOHtszB+tp59Loki/7xTSukGU7/SZZQ8/sV2wZQeuncKkXS9nUdECqyI4Pz+N/iUqFif+9dIkvB5MguvhJDg/X/3kZnGBXRiF9L406f6zCLlCfq6YvHwlLhEzZQmhJBWQm3sw4PhwhAVYKLlxXOWqcg+lQKBp1b0r4l6hh3H2LtyHZAUvDw5MTQKzIr6pg9sNNZ2hDdMCtGqww7iJJuyMEqsCGugKjwd4LugDIYNGQGbimxZ6qCWU4rRaA9dW8Kvj16D2tqfVMu4V/CL8yGLTmVbzuBfwK+JXIq0LNVvQeioRmF5CNBiZVVgA2HhZRVjvwzri4y1epx/CgNq24eIvHkD/IBlo1fRx/J6ffhNFmAlwQHAP3N13d4/3jvwsrbo/U6uebTWgi5m3GrhWA9dq4FoN2GoKTk1/EfPjJeAlx0vIS56XAi9FXkq8lHmp8BLxUuWlxssKL/Xph6YR1X5abThJZT9lHli/StiT4w26HztP03VsghVo24c2wmXEvH21cqhYlJJaOkqKnkcQX0MzWpwIIvgWEdWaw2mV2QoINkTkNUPWqmlFpAJekPoK2wECvFlAZs1B0ub8lu0BD7NOSKxaglRvqR+gK9cimLWo0s1K9VkXvsMgrkCVcIvQEjdoNxWvITkNdKAv+2Y0198+9XcN7PiRjZ7X8djYMxvJBOoMjYOmIBo3DWhdE9NqxhycaYJF/Uz9+hgw14vVUVxMVX2hrH1pKrEpuQujuLw/xnhQcRz7AtuWR3dV9LGBDkYMvKJ9fJUFe8tLzRHYfRH6i06rWigJOkt1hQW9h6zXTV21LFQVqzoVc6qmeKkSDeAcb2GGDYeUOnFQJ2fWUaUv64qDKq0XLcTa0zqaKjNilIzKpWbvB6BFjqaiaJkqJ9l6xo3bDTVanISPsTZopTAB3kJ2qGZrVbuM+Fif9agYcXBYdTjBmOeAIfOJCyv/AoVTQM99wqDEUgmf6zP/1LQIiKJ/XCmWYN8rk+p1f1K8zpyeKak9rVKgDEtouXmroITlY8R3Y2UhPHYNRJRWcEOpLkWEQMRHSegcTBOeqZVUTRszLVHlCCAElwjXui5vhY8FSciPFRDdm1UuOZIQWumr52+zBtegtM23OdER4Doy64iJEXx5gWgQ5gUNrLF498xaJGtmA/I8gnqCZ4PnGM+beN7C/SjKxyCtjgzxzZw5zmSGam1bVtJpGQu17dmSJj4xfc+XY4hs0WZ7tvaJd0g+SvJRZhZss5OitddJXpeTopVGLI1QqWwrnbKVjpB8RE7ZSsKSwC+wBhbC+o3TfLPFN1v4tJbWWFpD11raYGkDfWjJsGTkLtt/zFKMkva/ydImDGGFecU2Y8C2HKe7Pq7IYXQb2pVNG6FCA83f86f/znAeo8J6qIEuMkoDlC1QtmYUD5QKVg8IbxuY2bxpRwQUWWjawWK2gbEuNq2x6TrI60tNEWqDe4tNN0DZWGpa5YCPgXxsacBHQTm6NOA1UNYWmg6hvIj3+ogc+2AHegmesysSKFXwfI1qWZb+mJUUpgNGHXeE5Y45LTtmm7AcKCy39d4wO3axZE7DvYDnQ7B/EXIdlfgJSJ7rJ0jqNCV1WkDJFtUgbpO4rcTGjLhD4o5yHh1r7qSzLNP+XKbbmP72Eot2QNlZYtFpUE4vsaisLKIDAU+sjWkhfIX9LCXK+TDjWUnC52+xHscz65Gjk+kuGZH+shGhr3BJGkT/sLgljXJX1bicAps8pcR3QwywFq1FCwJaje7JWZCeWpDWnUVldiikmgplJxInOPxOwod3sIChTaigtY112R1l5HTyxBLnrbmwCneSxJMzY2CJTnCZ8luiE3GHSa+ZMuoCpaIsHsBYzwS340zEHPLHU0jq1JKk2swxb4O4fYtywFKcwsjmxB5hz0UKwptbYN+aw7411iWG8tayuPnj0G9OkKVNZemJaMY6SKWjjVAEeKRm2qgHagWcboPTHSoARqGs4cQyaHcsJSueYGIBPDuhE1Wwl8g6xK9c9FU0tOligcTEwL7pcC3RwjJDUxN0Pent/WGgYHTLMRqqZe3ynE9l5ROx38qw74KGEhkHwGsGI/rnXIR10quFif9aiJ/vfrlXbTLOrp6+lO2Z6TJqHMNTg9dPzRhYnD+WlEfZBlMZi0ApjMEy5rtNNNtigli8sZRtIrWKtTne6gbUd+wGlARvmPpCr5plMY2FT+oqqqFi8hBONTWW9NVxt7DIjjvMXv3tk6wsXpK7FHdHce8tseQ3LV0Lj3+U2fPeR/D6DTCup68+EvdH38ZqH4IZfSte/XY8+Co0uy6BbWgroWF/pKvnLvABXcB334Iv6LwpvTe5lJLOt+ORjP5YBl9925SwEpbh26bIYEZ6N2X1yw9BVE0qkIUzJuDUqWx35bwsMK4xIqryVhWfYvQlzwp5KdgqoRQfzkGoUno450XfXCmXJ/7rNQRKefwgUCyEyai5ZPykPDbBLPFtcrN0OJOoLknOUHfbbmaaAqbpO8XAw4fHuGyN4yKzvBdG7+jaNy6983pc/loMFGNp4nJWGHKBaxSNrP3kS741nAGjr5zmMPJXEOHlEqzibwRXwAtYVWY1fHKCCwfmFZNcCiOcR0c51e4Aa3Oa4dU9QLrA9Cyjr0XlHaGwap+INhrgUhqvMepduwSHWsF9z45eqgcaKa8hOi5ROdakpKmzPT7xtzeS3h6TJs3MgiwlzNbhGRGrmg2gbw2xQJ9ZsiMu9yUl4IKiXkNwYZNjqoSL1MBRS0vUnKNWM2qJsi8h0Dg0/bUuG0y6bNCeMKLMSUMXBAgkaSDtXtcoRaQ2xFqFmleCESnKCBxdg1G1oy/NvhWywpoU+XaD4t1QrKHj/eTVSzWm9mWMmC0nso9Argj7NkrHCNuKDH/wtIkPiftQEQvakW4HDsyafsgscia+hSebt3BjdBgf1uDCdGyvZmNzO55QVfp+q0SZ/WMOhybdQQTy7lgrC1xomFSy/tmznh/L0WxXZpVu30EyspCsWkgihkiKl9jjM1eSyVXmoKgVamPXUkKKkMs5O0048TMKf6w3NdKI6+neFSyLvAsHBww1Kgv5IQdjOFYFGDgH3+PENNsxyJjB2wIzUHNkl/T/FxAIlyEQZhCIZhCoHgKB9s8BAk72DgkOAnb1OM+75THiDuQwZqZtGQE2/CvipiDw7Zaon1mqOh6BBdFkC6eWwrsJsRApdnziIZzjgVvRQUpI6JEDi4pQ/DE+5vaA9xQn/DxGg5W6QuWK+M4iJuuvWGQEigx/ERnBAjLqPzEy6hCBL3WHjBz6ESJDiIzcociQnxwZ/gwZOSLDh7VQZKzOkFGZISM3Q0b0c0FG63ZkhDav8IW1sAs3+SBin02y3Utu+PtxsGWfM7dp3eQ3snAoyyLPEsx5xEY8fGSK80MxhYVDMSWS9cSOKc+jncpsy9r6xUidKfeIma+Kmeg13PJx+8B11mlIGZ6yojuf7QXHRyWjw6zDWzbhcFuMT/C2qpCp6WacEjru9IPuv5k+Q+DDsv59uyVWE31YbulWc64xS3duzw0CfcajMBJw23ddhsBd67FqsqLbBGXYCWuYe3T6FemluuEVI/7p/QyD7yJwEvfc5AoC4RZvDLd8LiIKmXUocZ+7dsvpgVXGJuWx7h3OTwoMk+K1uJPGo/k5gjWS2mm8jgZFLH82MPD4CHcuZH62yoj21x7HXSb9h0npGk9RxRjZGjdtInay6Y4qfMUeVeCbsaoLhnFszGZpXGBCdS21HiQ+jjp2yYAF2yqmvJmmWHHwqZUCEilWfAqukzAHemqBu1rmLqvJp1GRG1Y8tZB35xfOkJbG93D898pRBKrs/L5ZRBjfr0E9ZcTjClV3XOEoGpkH5X5a4flhBZiByI7u4Rm4H5kdgHjUnno4i6HNTq10SHlMN8AdpUvKufl5iMc5gfPzoyw8v2CewIrJlZ9k+SkgzJWfZvkZfL62Z56FMlzAbw/GpiZ7+wvHIwrysNwF4gVqnhCuF0aasz0te2658rDpou1Fm1YGbOjslD1xBAC5c0WgDzNTXZcu0D2Qi5CjXRkD+k9rMDLUAzm6v1pbOuKiOrNAkVRVZ4FyhpSFkwo13XqrzbbgOjR9uif+DEZwTnVLjUdNztlMAxWD2rHQRcP2wP1GpxRr2SxqWtDzQyNMZc0KVG2MPKnL4Zrbzs+6mm/aZ5qvE1mgnEl1IrcdFMrmMp/DUyg9pnO4G6vdi2NrEnqpjoCg68ljhw5C59OwDJnYzpjVvqjBNQXGE1gX6c8vzvb+u3IXTU+TuGta+4DJX7RivcjzL5eUJc8hyqrhm4E8p8z4AA+a8SCOnp5Z4emZSD5Aq1KX8CXdNqCdjpmqyOvxmDywE+lhmJ7keRimp4dhGogh9FwpwoJodnqmzq3BceztuwbhvIFPR4DumapgSF5nyj+UM9Jglh+fGKdwiNzO9vQwSrR8eqYtCQ93Kixq1PuOMjXuzljJ5DGUaUGezDKDIouUM6QcIk+m/vCRJsXZrKlH6VEyZ1WiP9WA0ZeenunJ2dvk7QTtxL4gb3rhuOBOzzzHwnNykQUqsaybriry8yrUlmprBUJVpeYZktxcbRNV22dVZ//neL+zzj6BcVjutKzOnlXhqDNr/1idRZ2TC+i9aJc/x2UbartOxZVc47f1eIFoOQcKTPXycR/qN0yuU30iq5uEe4p/kXtVA/VkyUhiNKcyIWKCzPZsUNlDyFib2962k5SauLgPb1zlqaPFH1Nblpu3Hwp4avoLh4o341VX2hrMtrn1VdOx2sMeomCJFc8dpoU+KB/U8043MfAeI0aXyWHgWDNtDRa4BYYe9xFG7WTt8bm71cjYaSx31bulH8b5XeneUslGsEv1SlZwJSv51zOwPii7cBZCdyFrTlRHtIxAQB64XVTDO4nqiNwDZ3ZxjNDJHmzeAnJURAMeo/n/IKIjdxbR4CcR0YkFEd3zcxPRUbkP8dER8P6YDJ2INrQ8BOX+JRHJJRcEbOjYAnXCqYaacAqYdjjmWrHG3U+aLFO1QT0mNjuDWVvIW8z8hu48qdPoaBoLK9pwrCfXMtcBQwHnEdfUfdAYqMdoqsewx9cemS0MEHefpLdJGTF2EVvsa8ru8UVcLB/Xo5DJxUPP5y3H+fPzeedBfNTF+YjH9Wsu2a2n2uJDP2VhFbmI3dlx7iXDsToDd4En9C4gettklLnHg3p7LqLXXLf9b4p35/958R37LyO0W3adF/1huVSbFK77k5z7Fa/zPIXle8HmBfTEdAml6tiUcctdMxVwMNLUgqnqCfOaruh0R9rDJAs2UlohCJIqk516HkFXPBYMcQsr6bite28dTfU3YMA15c88vtL7euepgZbSmf8v26PZgpXzUF+u6Z0ZyRb3NDf05RHZ0Jeid65BmhhEAESGel66qs6szkN63M/blEa2f7y1sAdMsts/Prqwm1uHbmizY7qlmm0NH9MdzGxruO72SbBO2bJbJN/niZbjtlKXpa7U3e51Y75XNeCbAT69uDV9zJbcjvFxW+qx1IOP0/77LPVR0v5XWVqVBrMV/F+WEk+WxPSXsd0V1NWh4L6qm4ktfNfuQXXd5mLHbTv2lA5F1/KGnnlr4G7cluNI6bDaSh9ixJHm+M9w0VnDV2vceWxIIdu2qklBdx4t9hEhLeJFj+LU5viwoj3q5H/Cyt+KdNPK2+5iHZP2YfLVbaTGXK52I2kmd8s5t9eeSdUS3QmCTIqW6M4P/BiunnBcOWq5gG4s9zYtd21IqKa45k7UQhtBDBDshTxvl3fHbLP0iFNBVboYt3Cmia15tram2VqNZttWKZm78m3Y6Hi4Zc/v8DieJgVDe1CXmskDOVtgljU+mFcxnT/HC8+t7NlsZbOvQUUw8IZap6YauRxWh40xXzZ59G+ha21WtIecwLSGy1FtKXNy5ENO94OYoLCbdW+H+eC1vBqo4PosmameRkpvmYp9Kr6lqciqVijZc0g5m2qGw1jZY0qSrqOuGxoBEIdCYw/3jOKTUuMhRkvJib5ecQV9YwueLTS0UJ62gfICri3J49qWEq4dqeDalWjK6NlXYNbIZ/EWcuxx1fRtQO0QuuoCkcH0B35mCWKrlnXpOCZStxEHrHLr8z1ussarWmNFVtSF8MQc6jRR4199qM2/sQ6vP7BehQYNA3LBSp23uqzwtiJ9hi56yC6UqoYuuO/DqPia64i1biDaMifaxOOtodOAc+JRX41Cim/dlOKbD+m4SrIC0k19GzMVWrx58824yJcNabBJXhvdhHcs/q4Uvvzml9/iS6qemo+Q31tJ9KgcwYbh9wmfviLkvwEtUIkdRjoAAA==";
const FAST_TRAIN = "H4sIAAAAAAACA81bW48cx3Xu7um59vTOfWZnZnd5qne5u+SSEnVbiRJFsnUjl5RlIwjyEPgixlZi945scUnLDihpGcBBHEQPjkQDiWEgRhzAebAS20iAAHYQBXmNgQB58VNeEiuIAQP+AZko33eq5saLYTuJkQWnu+p0V3XVOd+51Kmid+Xay77nef5Hoxdzh4eH/uGLHn7x4eHrh9M/78WCLeBJTusl9+R178U8rq+D5HkvBnxUnDaq2Ff45+WqkecHuTBfKJbKlTDvv+L7fj7ne36hFhz66c2bfnTopf+EW/GLfqXw8ksvf+bgtwMvvn5w5VOf/tjnXvrUb33y+jVvUr/28YMr1z/+Sc+PXP2l6599xQvc09/8zMHnrhx8wstVbH30mWvXvIKrXP/swae94pKt/MaVj+/rq6XwyieuvOxVoo997JMvXXkFD669lPMr71yNnvRST/zd4As3f+cmi95ucNMVg93giyxKIF7GyygTLy2PJMhSPxN/lEUnfP8w9bYnrbdt28SzL2akaBdZWrge/aXvvvWl2bfenHzrseCWK+Z2gz9yxXA3+Kor5neDr7liYTf4M1cs7gZ/7oql3eCbrljeDb7litFu8FeuWN0N/sYVK7vB9yZF8TGx6dBHaXA92w3eZTn6vUGheei/njv03whvbGCipsAXdfhJkUUdflIaJeXZ5CujJML0/SypjkxMuo7WLLGoI0hqUs5MXXBL/euZafCJjljKGEzSzEyLpG9aEpltB2bagq5HphOcD87zwcXYkyXp6LMuxtdLveOWkWbZvfPwXuzxyeS9tJolfU4clWSwLwMZpN7FZDh8By8fZu+8kax8g/T+ZenLIJP+ngyH+MzKU/LFb6TehdhDt7WF3lCpcOQgpGE2Sl/LRvpgwB4uD0H7IDpAmb+9odT3Yj+SyrhhVmV53DJr46pHJcUvwC+HnzkiNdPHiP7z/fffL15NemaQO4/mXTkiq+O/9hMZD3NuACCiFizU/IWa52rjDwfe+NcCz+cl4CUna+Nn8ErshSUdxORvXPVv+xu/MP51PJA+5oOhHRlXQ1Tnf+O/8DHuAeafDGIvAkt6z3GmvdQ/MH0rsavPghU16XFkPamM3MiOB54sf/Rxdm96bNl/LiY4m3iO9ngp6Y5ME5QuWWyGkF/uujGyhMamqz2SX9Lbn3KqOd8rQdSV4RypK4Yt+2nAloP0DTvqSFrorV7/ws2bAF8DtUk5J0H6J+/96Aevja6ZJiA1sAphurnzuHJ+DelmJz2PU2xC2kV8o/hy0h+lf/vHP3yrOMqu4Wt//5MfvPv66BowWH9V+tfSd370zfeLI1RrWv2D73/n659ndRnVtPTqNQn3TD9C5/lnCWTMrGW/Al4eYKRaHuIVaUtBuRlipruY5iD9h/e+8uPPZ4a4K2SmAPZ0qZddgLga3HumkcToCDxu09YQ75FVtQgKkgavah9p7qoxVCx9HEPL0LlDa57Ne6ohJrSdNWWJjFKxJJROCHaPgfdxFFA89QzjrWdzFCFF5imnSDk1o3TTdz2KME/E5Yk48yzxtqSfVNgk/YxvWG0VVvpi0vC6ggTCn+urbtFQt2h4ZYKGJYDGJJhkQXlAu6QWNVkHBG/CyJsN0tRkJ0enFj/ZnPqFZGskW3i5PEq2R0lXtsCATCF9TDb1flw2nSqYHTVM5gQoW5k5KW1q231SogU8zMz9kGGVb5pTchSDZpMH0OQQw4VkkgetbPyr5qGpOMzDotJ6BC362mIXhP+yonqUfT3GsaojMacx9+qeeVwK5glI9wzYVJAz+8mTqQh+F4fmrDyR+vxdGuJLgq5IPSf3yRntnMqQyrpK+7ykSnsKNIO6Sd/3ryadNPdpoOup7cBLetAQQ3hXwN7kaaColKo7g6UfZpxXX0oXh7DHsNJDk5OiPi6KkWGaG+2zQxiSSKBDwb5rUJw1eAZfzqP7x9VTVPDqMxla3y+5TKIMn4BT71AaQgO6j06r6JQWXHU8Lw+bkNpt4UKb3uStPQUOUQspzUGXqAVF5imnSDk1D2ZCtw/oAm95CYngkAjmR4DDRxyQf44BC7VOAf7IHeh2sHYgHyhcFN2GeDFp+QK/nbKSylmtnJYzApt5cmSNr6zLWdkGjo/KA09//x+fP1v/XTUbXZC37Dt9WwFyd+XY/DsbsD9nCXE5LjtPe97Nc/YBxPKkUyqYiQ3TzNFlEwPnwRHiZiCPwuc3qcE0sHj6oL7drfqRWvmKnJIBcMS3RzACkuecpasz/zffTv62t8CE2YsTwbl3AWZrBoT8atMptMmNx0B8SGWSaE9OXVUDky7nrszGVMPpo/mOI8DmBCCFeYHHoZy7oOx/In0xM09AcSRLzkjhIolzsY11MveIaAbOzmmo0Z1ENH0AX6GftBciGtC7lxVd0t2T9l0jmllv8xFNaS6ioYj704imq262/3NENN1ZRDNwOpXcLaJJFiKaZCGiSf7XIxqGFBjaPSOaPrWzbyOagUY0A0Y03YWIZsCRDe4W0XTNgC27NqJx9htduKCmPQ1q8jaoCWdBzcAGNYNZUNO+M6jJLwQ14d2Dmsacq1cP07Zeo+v8eZ8eIo+GTjwMvExRYdalQwjx/RbGA2x0EXCgvwEDj6tJF58FI7o0xJzgBLjkDiyaJBhO08p6vCAP/kHoVutgH2WqgNNifVa0nn4miSL9vlNI6wZRv9dnFj38oe2CLdtw7RQm7Xp5EhXNsSqC8/Oz6F+iYvHQv1E6DG8Eh8GN8DA4P1v95KZxgV0YhfS+NOn+BYRcIT9XTF+5mpSImbKEUJIKyI09GHB8OMICLJTcKKlyVbmHWiDQtOreVXGP0MNo8izch2QFDw8OTCyBWRLf1MDtuprO0IZpAVrV2WHSQBN2RolVAQ10heIBygUtEDJoBGSmvmmihzilFMfVGFxbwq+GX53a2xpXy7hX8IvwI4tNe1zN417Ar4hfibQO1GxO66lEYHoJ0WBklmEBYONlGWG9D+uIjzd5HX8IA2rZhvO/pA/9g2SgVeNz+L0w/jaqMBPggOAeuLvv7h7vbflFWnV+oVZd26pPFzNr1Xet+q5V37Xqs9UYnBr/KubHS8BLjpeQlzwvBV6KvJR4KfNS4SXipcpLzMsSL7Xxh8YR1X5crTtJTX7KPLB+mbAnx+t0P3aepuPYBCvQsoUWwmXEvD21cnixKCW1dJQUPY8gvoZmNDkRRPBNIqo5g9MysxUQbIjIa4qsZdOMSAW8IPUltgMEeLOAnDQHSZvzW7YHFKadkFi1BKne9n6ArlyLYNqiSjcr1QsufIdBXIIq4RahJW7QbipeXXIa6EBf9s1wpr896u8K2PETGz2voljfM2vpIdQZGgdNQTRu6tC6BqbVSDg40wCLehP162HAXC9Wh0kxU/WFsvakocSG5C4Ok/L+COPBi6PEF9i2PLqroo81dDBk4BXt46us2FteYkdg90XoLzqtaqUk6CzTFRb0HrJeNTXVslBVrOpUzKma4qVKNIBzvIUTbDik1IiDGjmzild6sqo4qNJ60UKsPKujqTIjRsmoXGJ7PwAtcjQVRdNUOcnmc27cbqjR/CR8jLVOK4UJ8BayQzVby9plxGJt2qNixMFh2eEEY54BhswnLqz8CxROAT33CIMSayV8rsf8U8MiIIreXCqWYN8rh9Ub/mHxBnN6pqT2tEqBMiyh5eatghqWjxGfjZSF8NgxiKgt4YZaTYoIgYiPktA5mAY8UzOtmhZmWqLKEUAILhGudVzeCh8L0pAfKyC6N8tccqQhtNJXz9/iG1yD0jbf4USHgOvQrCImRvDlBaJBmBfUscbi3TMrkayYNcjzCN4TlA3KCcrrKG/gfhT1TUirLQN8M2e2mMxQrW2Ny1ilbYsueLBg3Rj/boAmLVnK9Mnx6Uon2ZFNPtyU49P1UHJCjpJ2lKkG2+Ck7CDeA21VTsoJGbI4xOOyfXwfHh8h7QgWlCfg/lEU9HhMVlhcQaNjiPBQXMMLx8SwaLAy2ZGExQTFE7LO4jqMXIU5wxbju5Zs0RVvKSoYuYZ21dJCGFBH2/f88X8wVBeMZR2U9SmlDsoGKBtTigdKBSsDhK51jHbWtC0Cisw1bWOhWsco55vGbLoK8upCU4TRYMd80zVQ1haaVjngTZA3FwZ8FJSjCwNeAWVlrukAiolYroeosAd2oJfgebvagMIEL8RUubL0RnxJIdhnRHFPyO2YE7Jjtgm5vkJuW+91s2MXQuYEXAd4PgD75+HUViEfA6y4WjpBMZ2AFFsOQ7JNyrZSLIJkh5QdZTj603RIe1GUvZkotzHr7QXO7ICys8CZE6CcWOBMWTlDnwBWWLPRREQKk1hKleHhhFUlCV+4zSBsTQxCjn6js2AXeot2gebf5V0Q0MOIljRwXVZ7cRLc8ZSS3A/uwwA0540CaDE9jjMKXTUKzXtLyOxQNrHKYicSJy/8jsMtt7EmoZpX0NqGrxNNn+r5lO1WzyGR46QcnyoyKE5YE90FxQm0zdzVVO90nVFRtvZhc6fC2oEu7yygeyuDdE4uSKfFVPE2iNu36QFswkmMaUbsEuFcayBKuQ3hzRnCmyNdKSg/LVsbPw3o5hjZ2FA2Houm7IIk2toIVQBGYtPCe6BWwN0WuNsm1jEK5Qsnplhu26qWj4FV5NYxnaJCu0SmIQDlqq2isUkHKxyu7PdNm4uBJtYJmlug78hu6wzjA3+bjr8QBizlAnvKyh7CvDmBuXP5JfIL2Nb8Q/TPuQirnNcKh/7rIX6+++Ves6k0u/b50mTHSxdBowR+Fix+Zsq34qxYUtZMtofKWMJJYQROMVttoukGEaThjaRs06BVrKzxVLePvme3jyR409TmetUcianPfVLXQHWVjodgqKGRoK9ut4klctJm7unvnubL4qW5y0lnmHTfFkt+y9K1cu6jzH13P4LHb4JxXX30kaQ3/C7W6pDK8DvJ8neT/tehxDUJbEP7Ehr2hrr27QAWUAF8921Y+/Zb0n2LCyFpfzcZyvBPpf/1r5kS1rEy+JopMhSR7i1Z/vJjEFWDemNRjAk4LSrbPTVvEtbGjGeqvFXFpxh9yfOFvBTsK6EUT+cgVCmdznnRt5fK5UP/jRhhTh4/CBTLWDJqJhk/LY9MME1bm9w0mc0UqEtxM1DdtluRpoBp+k4fUPjwCJeNUVJkjvbi8B1duSald95Iyt9IAGEsLFzGCUMucIWhcbGffsm3NjJg7JTTDET+KuKzXIo1+M3gKngBA8qchE9OMOxnVjDNZbC3eXSUU6UOsLKmxV3eA6QLTK4ydprX2SEqy7ZEtNHWlrJkhTHrymW4zArue3b0Uj3QOHcFsW2JyrEiJU187bHE395QuntMeTQmhmMh3bUK34dI06wBfSvw9j3muI64zJWUgAuKegXhg01tqRLOUwNHLS1Qc45anVBLlH0JocRdk1erssaUyRqNCePBnNQ1nEcYSLtod6qGGUKsAVYa1LwSjEhRhuDoCmypHX1p+q2QL6xIkU/XKN41xRo63k9fuxwzMS8jxGM5kX1EaEUYt2E2QlRWZICD0jo+JO5DRSxHh7qZ1zcr+iEzz5nkNp6s38aN4d34sAKHpWN7bTI2t18JVaWbt0o0sX/MwNCSO4hA3m1rYoELDYRK1hV71sljMTnZU1mmh3eQjCwkqxaSCBfS4mX2+NzV9PAaM0jUCrWxKxkhRcjlnJ0mnPgZhT9WixpUJLVs7yoWNd7FgwNGFZW57I6DMfypAgycg8txYprm+yfM4G2OGXhzaBfk/xcQCBchEE4gEE0hUL0LBFq/BAg42TskOAjYtd8sa5bHiNuQw4h5skUE2EiviJuCwLcbmv7EUtVQBBZEUyWcWgbvJsRCpNjxiYdwhgduJAcZIaEHBiwqQvFH+Jjbwd1TnPDzGA3W2QqVq+I7i5iuvmqRESgy/HlkBHPIqP3MyKhBBL7UHDJy6EeIDCEycndFhvzsyPCnyMgRGT6shSJjeYqMyhQZuSkyol8KMpp3IiO0WYEvrIQduMlHEfusk+1eetPfT4INW564TesmvzUJhyY54Gl6OI/YiEeHTHF2pKUwd6SlRLKetzHlWbRTmW44W78YqTPlDi+zTQnTtIYbNm4Xt8Z36lKGp6zovmVrzvFRyegwa/CWDTjcJuMTPK0qZGLdSlNC251d0N0z02Pke7ecfc9uaMWihcWWbtXmGrN27/ZM72sZRWEk4DbfOox/O9ZjxbKkSf4y7IQ1zF06/Yp0M92uShD/dH+BwXcQOIkrN7hwQLjFG8Mtn2uHwsQ6lLhLHd+297/M2KQ80p2/2T7/IC1eT9pZMpydAlghqZUlq2hQxKpnDQNPjnDfQWYno4xof61R0mHKfpCWrvMMVIKRrXDLJWIn6+6gwVftQQM+Gam6YBibIzbLkgLToSuZ9SDJFt6x6wUs0pYx5fUsw3KDpWYGSGRYzSm4dmAO9MwB96TMSavJ9+FFbjfxzEHenT44RVqWPMDxPyhHEaiy84emEWHysAb1lBEPG1TdYYOjaGQelYdphWdHDWAGIju601NwPz49vvCEPbNwBkObnjlpk/Kkbl87SoeUs7PTDOc4gfOzgyg8fWCewnLJ1Z9m/RkgzNWfZf05fD7eMxegDBfx24OxiWVvf+5wQ0FOYzUVy0VqnhCuF4eacb1P9txy5bTpoO0lmxQGbOjslD1JBAC5U0GgDyamuiYdoLsvlyBHuyAG9J/VYGSgx2l0dzReOKCiOjNHkUxVZ45yipS5cwaxbpzF0w20Nk2f7mg/hxGcVd1S4xHLWZtUoGJQO+a6qNseuFvolGJlMotYK3r6Z4iprFiBqo2Rp3UVHLvN+ElXsy33iebrROYopzKdyB3HfCZzmc3hGdSe1DncLyfk0siahG6mIyDouvLkXQeh86lbhhzazpiTvqTBNQXG81OX6M8vTXfuO3KSpqdB3DWsfcDkL1mxXuLplcvKkucRZcX4ZiDPKzM+wGNiPEajZ1+WePYlkg/QqtQkfFmT/rTTCTMUeT3ckgd2Ij3K0pU8j7J09ShLHTGEngpFWBBNz77UuLE3Srx91yCcNfDpCNA9MxQMyWtM2IdySurM0eMTowwOkZvRnh4liRbPvrQk5dFMhUVMvW8rU5POlJVM80KZ5uTJZDAoMk85Rcpd5MkUHz7SoDgbsXqULiVzRiX6cw0YfenZl66cuUPeTtBO7HPyphdOCu7sy/OsPC+XWKESy6rpqCK/oEJtqrZWIFRVap4Ayc3UNlW1vaA6+z/H+7119imMw3KnaXX2jApHnVnrp+os3tmZQ+8lu/zZkm2o7SoVV3L139fDAaL1HCgw1YuHdajfMLlO9YmsThruKf5FHlQN1HMhQ0nQnMqEiAky27NBZRchYzyzvS0nKTVxSQ/euMozQ/O/8Xu+4+adW/rPjH/lruKd8KojLQ1mW9y4inWs9qiGKFgSxXObaaEPygf1tNItDLzLiNFlchg4xqalwQI3sNDjPsKo45P2+Nz9amTsNBa76t7WD+P8jnRue8lGsAvvlazgSlbyb0zA+qjswlkI3YWsOFEd0ToCAXnkTlEN7iWqI/IAnNmlEUIneyx5A8hREfV5COb/g4iO3FtE/Z9FRMfmRPTAL01ER+UhxEdHwPtNGTgRrWl9AMrDCyKSyy4IWNOxBeqEMw014RQw7XDEtWLMvUuaLFO1QT0mNj1BGc/lLaZ+Q/eW1Gm0NY2FFW040nNnE9cBQwHnkcTqPmgM1GM01GPYw2ePTxcGiLt36G0yRowdxBb7mrI7N4+LxcN2FDK5eNfTdYtx/ux03XkQn3BxPuJx/ZrLdOuZtOSun7KwilzE7uw4d4LhWJ2Bu8jzdRcRva0zytzjMbs9F9Frrtv+X4h3Z/9v4nv2P3zQbtl1XvTjUik+LNzwD3PuV7zB0xCW7wWbF9DzziXUqiNTxi133VTAwUhTC6aq58NjXdHpfrKHSRZspLREEKRVJjv1NIGueCwYkiZW0klLd9famuevw4Brvp95fKX39M49/6bSmf8v24PVgpXzQB+u6J0ZySZ3Ldf04RFZ04eid65BGhhEAESGetq5qs6sptt161JXA7Ahfe4z9DG+qt2tPSr1ye7v5mQrlzS3+7s12bStQVncRvLmZHuXh0nd9m7N7ZTwQLS0SaMObwFFKHbQ48Zky3gbRbflewzFLos8m7oJ24RiD8UtWWZxWerMRPB/mZR45iOhL0zs5p6u/AT3Zd0TbGJedlup4/YI2273sKt0KLHW1/Q0Wh1343YOh0qHRVb6AKOMNH9/igvKGF+NuYFYl8JkJyqWgm4gWlwj+pnHgh6SiWeyt2LbdLLdsrK14lq3srQbU0eldS/ZTSW3RZ5sTSUH3rk98oloQHFb9RNpgOI29H8KJ7ccJzbtzNGH5di65agN8dS0xu58K7QLxADBW8jTb3l36HWS7nAqpUqU4BZONas5y77Gmn3V6LRllYy5KN+GgY5vG/Y0DQ/HaZIvtMdmqWk8HrMBBlljgnkVs1k5mSs3J2WzMZl9DHhj4HW1Ng01Wjms9uojPmzwIN5c19qsaI8cgWl1l3PaUObkyIec7u8w4WA3374S5oPX82pwghvT5KR6Dim9bSq2VHxbU4tVfaFkTwXlbOoYDmBpjylGuoKablAEQBkq9T3cJxSflJhHCi0lJ/p4yVX0ia14tlLXSnncArILuDYlj2tLSri2pYJrR6Ixo2FfwRiTz+LN5cyTqunZANmhctkFFv3xD301LYnVw5q0LQc1V7HMTUz8w+NlfbwkS/qQJ9cQfTTwxr/6UJJ/9+kZcP2h9Q80QxiKCztqvNVkibcl6TEI0cNuoVQ1CMF9H/bD16xFou8Goi1zok083uo6AbgZHrnVeKL49i0pvvWYjqskSyDd0qcJk5rFW7feSop8WJc6m+S10S34ueIfSuHLb335bT6kxqmxCPm9pVSPrBFmGH6PwOkpNv4bxxzPOc45AAA=";
const PAGE_BYTES = 65536;
const ALIGNMENT = 16;
const MOST_BYTES = 2 ** 29;
const SEEN = 9;
const RGBA = 4;
const ALPHA = 3;
const LAST_LAYER_STD = 1e-3;
const BETAS = [0.9, 0.999];
const EPSILON = 1e-8;
async function compileTraining(code) {
const packed = new Blob([Uint8Array.from(atob(code), (c) => c.charCodeAt(0))]).stream();
const module = new Response(packed.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
return WebAssembly.compile(await module).catch(() => null);
}
function partsOf({ channels, features, units }) {
const layers = [
["perception.conv", SEEN * channels, features, [features, channels, 3, 3]],
["update.layers.0", features, units, [units, features]],
["update.layers.1", units, channels, [channels, units]],
];
let at = 0;
return layers.flatMap(([name, rows, columns, shape]) => {
const weight = { name: `${name}.weight`, shape, rows, columns, at };
const bias = { name: `${name}.bias`, shape: [columns], rows: 1, columns, at: at + rows * columns };
at = bias.at + columns;
return [weight, bias];
});
}
function placeOf({ shape, rows }, row, column) {
if (shape.length < 4) return column * rows + row;
const inputs = shape[1];
return (column * inputs + row % inputs) * SEEN + Math.floor(row / inputs);
}
class Trainer {
static async create(sizes, fast = true) {
for (const code of fast ? [FAST_TRAIN, TRAIN] : [TRAIN]) {
const module = await compileTraining(code);
if (module !== null) return new this(sizes, (await WebAssembly.instantiate(module, {})).exports);
}
throw new Error("This browser has no WebAssembly with SIMD, which training in the page needs; a newer one has.");
}
constructor(sizes, kernels) {
Object.assign(this, { fireRate: 0.5, threshold: 0.1, mostSteps: 64 }, sizes, { kernels });
const { height, width, channels, features, units, mostSteps } = this;
if ([channels, features, units].some((n) => !(n >= 4) || n % 4 !== 0) || channels < 2 * RGBA) {
throw new Error(`${channels} channels, ${features} features, ${units} units; expected multiples of four, ` +
"8 channels or more");
}
this.cells = height * width;
this.size = this.cells * channels;
this.parts = partsOf(this);
this.count = kernels.train_weights(channels, features, units);
this.free = kernels.__heap_base.value;
const floats = (count) => this.allocate(4 * count);
const [w, s] = [Array.from({ length: 5 }, () => floats(this.count)), floats((mostSteps + 1) * this.size)];
[this.weightsAt, this.gradientAt, this.turnedAt, this.meanAt, this.squareAt] = w;
this.statesAt = s;
this.targetAt = floats(RGBA * this.cells);
this.partsAt = this.allocate(16);
kernels.train_setup(
height, width, this.threshold, this.weightsAt, this.gradientAt, this.turnedAt, this.statesAt,
floats(mostSteps * this.cells * (features + units)), floats(mostSteps * (this.cells + 1)),
this.allocate(mostSteps * this.cells), floats(2 * this.size), floats(kernels.train_scratch()),
this.allocate(3 * this.cells),
);
this.updates = 0;
this.starts = [];
}
allocate(bytes) {
const start = (this.free + ALIGNMENT - 1) & -ALIGNMENT;
this.free = start + bytes;
const { memory } = this.kernels;
if (this.free > MOST_BYTES) throw new Error("so large a training needs more than half a gigabyte; choose fewer cells or steps");
const missing = this.free - memory.buffer.byteLength;
if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
return start;
}
floats(start, count) {
return new Float32Array(this.kernels.memory.buffer, start, count);
}
get weights() { return this.floats(this.weightsAt, this.count); }
get gradient() { return this.floats(this.gradientAt, this.count); }
state(step) { return this.floats(this.statesAt + 4 * step * this.size, this.size); }
tensors(numbers = this.weights) {
return Object.fromEntries(this.parts.map((part) => {
const data = new Float32Array(part.rows * part.columns);
this.each(part, (here, there) => { data[there] = numbers[here]; });
return [part.name, { shape: part.shape, data }];
}));
}
load(tensors) {
const { weights } = this;
for (const part of this.parts) {
const { data } = tensors[part.name];
this.each(part, (here, there) => { weights[here] = data[there]; });
}
this.forget();
}
each(part, visit) {
for (let row = 0; row < part.rows; row++) {
for (let column = 0; column < part.columns; column++) {
visit(part.at + row * part.columns + column, placeOf(part, row, column));
}
}
}
forget() {
this.updates = 0;
for (const start of [this.meanAt, this.squareAt]) this.floats(start, this.count).fill(0);
}
begin(random) {
const { weights } = this;
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
this.parts.forEach(({ at, rows, columns }, i) => {
const [last, bias] = [i >= 4, i % 2 === 1];
const most = 1 / Math.sqrt(bias ? this.parts[i - 1].rows : rows);
for (let q = at; q < at + rows * columns; q++) {
weights[q] = last ? (bias ? 0 : LAST_LAYER_STD * normal()) : most * (2 * random() - 1);
}
});
this.forget();
}
seedState() {
const state = new Float32Array(this.size);
const middle = Math.floor(this.height / 2) * this.width + Math.floor(this.width / 2);
return state.fill(1, middle * this.channels, middle * this.channels + RGBA);
}
lives(state) {
for (let i = ALPHA; i < state.length; i += this.channels) if (state[i] > this.threshold) return true;
return false;
}
rollout(start, steps, seed, ring = false, first = 0) {
this.state(0).set(start);
this.starts = [0];
const limit = Math.floor(this.fireRate * 2 ** 24);
for (let step = 0; step < steps; step++) {
this.starts.push(this.kernels.train_forward(
step, this.starts[step], first + step, seed, limit, Number(ring && step === 0),
));
}
return this.state(steps);
}
aim(target) {
this.floats(this.targetAt, RGBA * this.cells).set(target);
}
learn(overflow, share) {
const steps = this.starts.length - 1;
const { kernels } = this;
kernels.train_loss(steps, this.targetAt, overflow, share, this.partsAt);
const [square, outside] = new Float64Array(kernels.memory.buffer, this.partsAt, 2);
for (let step = steps - 1; step >= 0; step--) kernels.train_backward(step, this.starts[step]);
return { square, outside };
}
clear() {
this.gradient.fill(0);
this.kernels.train_turn();
}
normalise() {
const { gradient } = this;
let all = 0;
for (const { at, rows, columns } of this.parts) {
const own = gradient.subarray(at, at + rows * columns);
let sum = 0;
for (let q = 0; q < own.length; q++) sum += own[q] * own[q];
const scale = 1 / (Math.sqrt(sum) + EPSILON);
for (let q = 0; q < own.length; q++) own[q] *= scale;
all += sum;
}
return Math.sqrt(all);
}
update(rate) {
this.updates += 1;
const [young, flat] = BETAS.map((beta) => 1 - beta ** this.updates);
this.kernels.adam(
this.weightsAt, this.gradientAt, this.meanAt, this.squareAt, this.count,
rate / young, Math.sqrt(flat), ...BETAS, EPSILON,
);
}
}
const MOST_KEPT = 10;
const SETTINGS = {
channels: 16, features: 32, units: 32, batch: 4, steps: [24, 32], rate: 2e-3, overflow: 0.1,
pool: 64, damageAfter: 150, seed: 1,
};
function dice(seed) {
let state = seed >>> 0;
return () => {
state = (state + 0x6d2b79f5) >>> 0;
let t = Math.imul(state ^ (state >>> 15), state | 1);
t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};
}
const ranAway = (state) => state.some((value) => !(Math.abs(value) <= MOST_KEPT));
class Learner {
static async create(picture, settings = {}, fast = true) {
const all = { ...SETTINGS, ...settings };
const { height, width } = picture;
const trainer = await Trainer.create({ height, width, ...all, mostSteps: all.steps[1] }, fast);
return new this(trainer, picture, all);
}
constructor(trainer, picture, settings) {
Object.assign(this, { trainer, settings });
this.random = dice(settings.seed);
this.iteration = 0;
this.skipped = 0;
trainer.begin(this.random);
trainer.aim(picture.rgba);
this.target = picture.rgba;
this.pool = Array.from({ length: settings.pool }, () => null);
}
distance(state) {
const { channels } = this.trainer;
let sum = 0;
for (let i = 0, at = 0; i < this.target.length; i += RGBA, at += channels) {
for (let q = 0; q < RGBA; q++) sum += (state[at + q] - this.target[i + q]) ** 2;
}
return sum / this.target.length;
}
damaged(state) {
const { height, width, channels } = this.trainer;
const u = Array.from({ length: 5 }, this.random);
const side = Math.min(height, width);
const [row, column, radius] = [height * (0.25 + 0.5 * u[0]), width * (0.25 + 0.5 * u[1]), side * (0.1 + 0.3 * u[2])];
const [angle, offset] = [2 * Math.PI * u[0], side * 0.2 * (u[1] - 0.5)];
const hurt = state.slice();
for (let y = 0; y < height; y++) {
for (let x = 0; x < width; x++) {
const along = (x - (width - 1) / 2) * Math.cos(angle) + (y - (height - 1) / 2) * Math.sin(angle);
const erased = u[4] < 0.5 ? (y - row) ** 2 + (x - column) ** 2 <= radius ** 2 : along > offset;
const at = (y * width + x) * channels;
if (erased) hurt.fill(0, at, at + channels);
}
}
return this.trainer.lives(hurt) ? hurt : state;
}
draw() {
const { batch, pool } = this.settings;
const places = new Set();
while (places.size < batch) places.add(Math.floor(this.random() * pool));
const far = (place) => (this.pool[place] === null ? Infinity : this.distance(this.pool[place]));
return [...places].map((place) => ({ place, far: far(place) })).sort((a, b) => b.far - a.far);
}
iterate() {
const { trainer, settings, random } = this;
const { batch, steps: [least, most], overflow } = settings;
const steps = least + Math.floor(random() * (most - least + 1));
const drawn = this.draw();
this.pool[drawn[0].place] = null;
trainer.clear();
let [square, outside] = [0, 0];
const ends = drawn.map(({ place }, i) => {
const old = this.pool[place];
const hurt = i === batch - 1 && i > 0 && this.iteration >= settings.damageAfter;
const start = old === null ? trainer.seedState() : hurt ? this.damaged(old) : old;
const end = trainer.rollout(start, steps, Math.floor(random() * 2 ** 32), old === null).slice();
const parts = trainer.learn(overflow, 1 / batch);
square += parts.square / batch;
outside += parts.outside / batch;
return { place, end };
});
const length = trainer.normalise();
const sound = Number.isFinite(length) && Number.isFinite(square);
if (sound) trainer.update(this.rate);
else this.skipped += 1;
for (const { place, end } of ends) {
this.pool[place] = sound && !ranAway(end) && trainer.lives(end) ? end : null;
}
this.iteration += 1;
return { iteration: this.iteration, loss: square, outside, length, steps };
}
get rate() {
return this.settings.rate / Math.sqrt(1 + this.iteration / 500);
}
}
return { Learner, SETTINGS, Trainer, dice };
};
const STYLE = "";
const { Learner, SETTINGS, Trainer, dice } = core();
